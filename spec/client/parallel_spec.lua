local cqueues = require "cqueues"
local curl = require "ampersand.transport.curl"
local fault = require "support.fault"
local core = require "ampersand.core"

describe("parallel", function()
  local server, transport
  setup(function() server = fault.start() end)
  teardown(function() server:stop() end)
  before_each(function() transport = curl.new { http_proxy = "" } end)
  after_each(function() transport:close() end)

  local function get(path)
    local res, message, kind = transport:request { method = "GET", url = server:url(path), timeout = 10, resend = true }
    return res and res.status, message, kind
  end

  -- n tasks that each wait a shuffled while and answer their own number.
  local function numbered(n, seen)
    local tasks = {}
    for i = 1, n do
      tasks[i] = function()
        seen.running = (seen.running or 0) + 1
        seen.most = math.max(seen.most or 0, seen.running)
        assert(get(("slow?seconds=%.3f"):format((i * 37 % n) / 2000)) == 200)
        seen.running = seen.running - 1
        return i * 10
      end
    end
    return tasks
  end

  it("answers in order, with no more at once than allowed", function()
    for _, n in ipairs { 1, 3, 8, 100 } do
      local seen = {}
      local values, errors = transport:parallel(n, numbered(30, seen))
      assert.equal(30, values.n)
      for i = 1, 30 do assert.equal(i * 10, values[i]) end
      assert.is_nil(next(errors))
      assert.equal(math.min(n, 30), seen.most)
    end
  end)

  it("keeps the others when one fails, in whichever way", function()
    local values, errors = transport:parallel(2, {
      function() return get "items" end,
      function()
        get "items"
        error "raised"
      end,
      function() return get "short_body" end,
      function() error { its = "own" } end,
      function() return nil, "answered" end,
      function() return get "items" end,
    })
    assert.equal(6, values.n)
    assert.equal(200, values[1])
    assert.equal(200, values[6])
    assert.matches("raised", errors[2])
    assert.is_truthy(errors[3]:find "transfer closed" or errors[3]:find "bytes missing", errors[3]) -- libcurl 7, libcurl 8
    assert.same({ its = "own" }, errors[4])
    assert.equal("answered", errors[5])
    assert.is_nil(values[3])
    assert.is_nil(errors[1])
  end)

  it("does not take a second result of a task that has a value for an error", function()
    local values, errors = transport:parallel(1, { function() return (get "items"), { attempts = 1 } end })
    assert.equal(200, values[1])
    assert.is_nil(next(errors))
  end)

  it("gives up a task that yields by itself", function()
    local values, errors = transport:parallel(2, {
      function()
        get "items"
        coroutine.yield "elsewhere"
        return 1
      end,
      function() return (get "items") end,
    })
    assert.truthy(errors[1]:find("yielded by itself", 1, true))
    assert.equal(200, values[2])
  end)

  it("runs nothing when there is nothing", function()
    local values, errors = transport:parallel(4, {})
    assert.same({ n = 0 }, values)
    assert.same({}, errors)
  end)

  it("sleeps and streams in its tasks", function()
    local start = core.now()
    local tasks = {}
    for i = 1, 10 do
      tasks[i] = function()
        transport:sleep(0.1)
        local res = assert(transport:request { method = "GET", url = server:url "big?bytes=200000", stream = true })
        local n, chunk = 0, res.read()
        while chunk do
          n = n + #chunk
          chunk = res.read()
        end
        return n
      end
    end
    local values = transport:parallel(10, tasks)
    for i = 1, 10 do assert.equal(200000, values[i]) end
    assert.is_true(core.now() - start < 0.9)
  end)

  it("may be used in a task", function()
    local values = transport:parallel(2, {
      function()
        local inner = transport:parallel(2, { function() return get "slow" end, function() return get "slow" end })
        return inner[1] + inner[2]
      end,
      function() return get "slow" end,
    })
    assert.same({ 400, 200, n = 2 }, values)
  end)

  it("leaves a loop around it running", function()
    if not require("ampersand.http").engine({}):pollfd() then -- a build without epoll has no loops
      transport = curl.new { http_proxy = "", loop = require "ampersand.loop.cqueues" }
      local _, message, kind = get "items"
      assert.equal("config", kind)
      return assert.matches("epoll", message)
    end
    transport:close()
    transport = curl.new { http_proxy = "", loop = require "ampersand.loop.cqueues" }
    local controller, ticks, values, other = cqueues.new(), 0, nil, nil
    controller:wrap(function() values = transport:parallel(5, numbered(20, {})) end)
    controller:wrap(function() other = get "slow?seconds=0.1" end)
    controller:wrap(function()
      while not values do
        cqueues.sleep(0.005)
        ticks = ticks + 1
      end
    end)
    assert(controller:loop(20))
    for i = 1, 20 do assert.equal(i * 10, values[i]) end
    assert.equal(200, other)
    assert.is_true(ticks > 3)
  end)
end)
