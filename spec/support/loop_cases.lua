-- What every loop adapter must do; one spec per loop calls this.

local busted = require "busted"
local curl = require "ampersand.transport.curl"
local cancel = require "ampersand.cancel"
local core = require "ampersand.core"
local fault = require "support.fault"

-- busted's words are globals of the spec files only.
local it, setup, before_each, after_each = busted.it, busted.setup, busted.before_each, busted.after_each
local assert = require "luassert"

local loop_cases = {}

--- Declares the cases inside a describe block.
---@param new_loop fun(): table adapter, fun(f: function), fun(finished: fun(): boolean, transport: table)
--   an adapter; a function that starts a coroutine; one that runs the loop until `finished`
---@param may_die boolean? whether coroutines of this loop may end without being resumed
function loop_cases.declare(new_loop, may_die)
  local server, transport, spawn, run

  setup(function() server = fault.shared() end)
  before_each(function()
    local loop
    loop, spawn, run = new_loop()
    transport = curl.new { loop = loop, http_proxy = "", ca_file = server.directory .. "/ca.pem" }
  end)
  after_each(function() transport:close() end)

  local function get(path, more)
    local req = { method = "GET", url = server:url(path), timeout = 10, resend = true }
    for name, value in pairs(more or {}) do req[name] = value end
    return transport:request(req)
  end

  -- Runs f(1) … f(n) side by side to their end.
  local function all(n, f)
    local left = n
    for i = 1, n do
      spawn(function()
        f(i)
        left = left - 1
      end)
    end
    run(function() return left == 0 end, transport)
    assert.equal(0, left)
  end

  it("lets 50 requests wait at once, each for its own answer, in any order", function()
    for _ = 1, 2 do -- cold, then warm
      local start = core.now()
      all(50, function(i)
        local delay = (i * 37 % 50) / 1000 -- shuffled
        local res = assert(get(("slow?seconds=%.3f&n=%d"):format(delay, i)))
        assert.equal(200, res.status)
        assert.is_string(res.read())
      end)
      assert.is_true(core.now() - start < 8)
    end
  end)

  it("waits for several streams at once", function()
    local bytes = {}
    all(5, function(i)
      local res = assert(get("big?bytes=" .. i * 100000, { stream = true }))
      local chunk = res.read()
      while chunk do
        bytes[i] = (bytes[i] or 0) + #chunk
        chunk = res.read()
      end
    end)
    for i = 1, 5 do assert.equal(i * 100000, bytes[i]) end
  end)

  it("sleeps side by side", function()
    local start = core.now()
    all(20, function() transport:sleep(0.1) end)
    local took = core.now() - start
    assert.is_true(took >= 0.1 and took < 1.5, tostring(took))
  end)

  it("ends calls and sleeps by their token", function()
    local token, kinds = cancel.token(), {}
    all(4, function(i)
      if i == 4 then
        transport:sleep(0.05)
        token:cancel()
      elseif i == 3 then
        local start = core.now()
        transport:sleep(20, token)
        assert.is_true(core.now() - start < 5)
      else
        local _, message, kind = get("silent", { cancel = token })
        kinds[i] = kind
        assert.matches("cancelled", message)
      end
    end)
    assert.same({ "cancelled", "cancelled" }, kinds)
    local _, _, kind, sent = get("items", { cancel = token })
    assert.equal("cancelled", kind)
    assert.is_false(sent)
  end)

  it("tells the reader of a response that another coroutine closes", function()
    local res, kind
    all(2, function(i)
      if i == 1 then
        res = assert(get("stall_body", { stream = true }))
        res.read()
        kind = select(3, res.read())
      else
        while not res do transport:sleep(0.01) end
        transport:sleep(0.05)
        res.close()
      end
    end)
    assert.equal("cancelled", kind)
  end)

  it("blocks where there is no coroutine to wait in", function()
    assert.equal(200, assert(get "items").status)
  end)

  it("tells everybody when the transport is closed", function()
    local kinds = {}
    all(11, function(i)
      if i == 11 then
        transport:sleep(0.05)
        transport:close()
      elseif i == 10 then
        transport:sleep(20)
      else
        local _, _, kind = get "silent"
        kinds[i] = kind
      end
    end)
    for i = 1, 9 do assert.equal("cancelled", kinds[i]) end
  end)

  if not may_die then return end

  it("survives the coroutine that drives the engine, killed midway among 100", function()
    local real, polls, killed = transport.loop, 0, nil
    transport.loop = setmetatable({ poll = function(fd)
      polls = polls + 1
      while polls == 5 do -- from here on the driver is not resumed
        killed = true
        real.park(1000)
      end
      return real.poll(fd)
    end }, { __index = real })
    local done = 0
    for i = 1, 100 do
      spawn(function()
        assert(get(("slow?seconds=%.3f"):format(0.01 + (i * 37 % 100) / 500)))
        done = done + 1
      end)
    end
    local start = core.now()
    run(function() return done == 99 or core.now() - start > 20 end, transport)
    assert.is_true(killed)
    assert.equal(99, done)
  end)
end

return loop_cases
