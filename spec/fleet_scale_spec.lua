local simulated = require "support.simulated"
local standin = require "support.standin"

local COUNT, STEP = 10000, 200

describe("an edit of 10,000 installations of which 50 change", function()
  it("costs one listing, 50 looks and 50 patches, and memory that does not grow with the fleet", function()
    local server = standin.start { installations = COUNT }
    local client, name = simulated.client(server), os.tmpname()
    os.remove(name)
    local seen, early, late = 0, nil, nil
    local fn = simulated.edit(STEP)
    local report, err = client.installations:edit(function(config, installation)
      seen = seen + 1
      if seen == 1000 or seen == 9000 then
        collectgarbage()
        collectgarbage()
        if seen == 1000 then early = collectgarbage "count" else late = collectgarbage "count" end
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
    assert.equal("10000 listed, 50 to change: 50 done", tostring(report))
    assert.same({ listInstallations = 1, getInstallation = 50, updateInstallation = 50 }, requests)
    assert.equal(50, installations)
    assert.equal(1, most)
    assert.is_nil(difference)
    assert.truthy(late - early < 300, ("memory grew by %.0f KB over 8,000 installations"):format(late - early))
  end)
end)
