local heap_size = require "support.heap_size"
local simulated = require "support.simulated"
local mock = require "support.mock"

-- Under valgrind (AMP_SLOW=10) it is a tenth of the fleet, and the same 50 change.
local COUNT = math.floor(1000 / tonumber(os.getenv "AMP_SLOW" or 1))
local STEP = COUNT / 50

describe("an edit of 1,000 installations of which 50 change", function()
  it("costs one listing, 50 reads and 50 patches, and memory that does not grow with the fleet", function()
    local server = mock.start { installations = COUNT }
    local client, name = simulated.client(server), os.tmpname()
    os.remove(name)
    local seen, early, late = 0, nil, nil
    local fn = simulated.edit(STEP)
    local report, err = client.installations:edit(function(config, installation)
      seen = seen + 1
      if seen == COUNT * 0.1 or seen == COUNT * 0.9 then
        if seen == COUNT * 0.1 then early = heap_size() else late = heap_size() end
      end
      return fn(config, installation)
    end, { journal = name })
    local requests = server:requests().by_operation
    local _, installations, most = simulated.edits(server)
    local difference = simulated.difference(server, COUNT, fn)
    server:stop()
    client:close()
    os.remove(name)

    assert.is_nil(err)
    assert.equal(simulated.changed(COUNT, STEP), 50)
    assert.equal(("%d listed, 50 to change: 50 done"):format(COUNT), tostring(report))
    assert.same({ listInstallations = 1, getInstallation = 50, updateInstallation = 50 }, requests)
    assert.equal(50, installations)
    assert.equal(1, most)
    assert.is_nil(difference)
    assert.truthy(late - early < 200, ("memory grew by %.0f KB"):format(late - early))
  end)
end)
