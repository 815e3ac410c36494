local curl = require "ampersand.transport.curl"
local fault = require "support.fault"
local frame = require "ampersand.loop.frame"
local core = require "ampersand.core"

local function spawn(f)
  local ok, message = coroutine.resume(coroutine.create(f))
  assert(ok, message)
end

-- Drawing, which takes 2 ms or until something arrives, and a poll.
local function draw(transport)
  if not transport.closed then transport.waiters.engine:wait(0.002) end
  transport:poll(0.002)
end

describe("the frame loop", function()
  require("support.loop_cases").declare(function()
    local function run(finished, transport)
      while not finished() do draw(transport) end
    end
    return frame.new(), spawn, run
  end)
end)

describe("a program that polls in every frame", function()
  local server, transport
  setup(function() server = fault.shared() end)
  before_each(function() transport = curl.new { loop = frame.new(), http_proxy = "" } end)
  after_each(function() transport:close() end)

  local function get(path) return transport:request { method = "GET", url = server:url(path), timeout = 10 } end

  it("keeps its frames while 20 requests are answered", function()
    local done, frames = 0, 0
    for _ = 1, 20 do
      spawn(function()
        assert.equal(200, assert(get "slow?seconds=0.2").status)
        done = done + 1
      end)
    end
    local start = core.now()
    while done < 20 and core.now() - start < 10 do
      draw(transport)
      frames = frames + 1
    end
    assert.equal(20, done)
    assert.is_true(frames > 20, tostring(frames))
  end)

  it("may poll when there is nothing to do, and before the first request", function()
    transport:poll()
    transport:poll(0.001)
    spawn(function() assert(get "items") end)
    transport:poll()
  end)

  it("gets the errors of its coroutines from poll", function()
    spawn(function()
      assert(get "items")
      error "a mistake in the game"
    end)
    assert.has_error(function()
      for _ = 1, 5000 do draw(transport) end
    end)
  end)

  local PIECE = 24 * 1024 -- bytes; a transfer holds up to four times as many
  local mock
  lazy_setup(function() mock = require("support.mock").start { installations = 150 } end)
  lazy_teardown(function() mock:stop() end)
  for _, way in ipairs { "list", "count", "stream" } do
    it("decodes one piece of a list in a frame without a budget: " .. way, function()
      local bytes, total, frames = 0, nil, 0
      local client = require("ampersand").new {
        base_url = mock.url, api_key = mock.key, project = mock.project, integration = mock.integration,
        loop = frame.new(), on_event = function(event) bytes = event.bytes end,
      }
      finally(function() client:close() end) -- luacheck: ignore
      local ways = {
        list = function() return #assert(client.installations:list()) end,
        count = function() return assert(client.installations:count()) end,
        stream = function()
          local stream, n = assert(client.installations:stream()), 0
          while stream:next() do n = n + 1 end
          bytes = 150 * 2000 -- the event of a stream is sent at its first element
          return n
        end,
      }
      spawn(function() total = ways[way]() end)
      local start = core.now()
      while not total and core.now() - start < 60 do
        client:poll()
        frames = frames + 1
        transport:sleep(0.008) -- drawing; what arrives meanwhile waits
      end
      assert.equal(150, total)
      assert.is_true(frames * PIECE >= bytes, ("%d frames for %d bytes"):format(frames, bytes))
    end)
  end

  it("may resume a coroutine of its own accord", function()
    local its_own, finished
    local co = coroutine.create(function()
      local res = get "slow?seconds=0.05"
      its_own = true
      coroutine.yield()
      finished = res.status
    end)
    assert(coroutine.resume(co))
    local start = core.now()
    while not its_own and core.now() - start < 10 do
      transport:poll()
      if not its_own then assert(coroutine.resume(co)) end -- it goes on waiting
    end
    for _ = 1, 5 do transport:poll(0.001) end
    assert.is_nil(finished) -- poll does not resume what waits for the game
    assert(coroutine.resume(co))
    assert.equal(200, finished)
  end)

  it("can drop a coroutine: its transfer goes with it", function()
    local weak, read = setmetatable({}, { __mode = "v" }), nil
    do
      local co = coroutine.create(function()
        local res = transport:request { method = "GET", url = server:url "stall_body", stream = true }
        weak.transfer = res.source
        read = res.read()
        coroutine.yield "dropped here"
        res.read()
      end)
      assert(coroutine.resume(co))
      local start = core.now()
      while not read and core.now() - start < 10 do draw(transport) end
      assert.equal("[1,2,", read)
    end
    for _ = 1, 3 do collectgarbage() end
    assert.is_nil(weak.transfer)
  end)

  if coroutine.close then -- luacheck: ignore 143
    it("goes on where a coroutine that waits has been closed", function()
      local co = coroutine.create(function() get "slow?seconds=0.05" end)
      assert(coroutine.resume(co))
      coroutine.close(co) -- luacheck: ignore 143
      local status
      spawn(function() status = get("slow?seconds=0.1").status end)
      local start = core.now()
      while not status and core.now() - start < 10 do draw(transport) end
      assert.equal(200, status)
    end)
  end

  if _VERSION == "Lua 5.1" and not rawget(_G, "jit") then
    it("gets an error that says what PUC Lua 5.1 cannot do", function()
      local function refused(f)
        local ok, message = coroutine.resume(coroutine.create(f))
        assert.is_false(ok)
        assert.matches("Lua 5.1 cannot wait inside", message)
      end
      refused(function()
        for _ in function() return (get "items") end do print "not reached" end
      end)
      refused(function()
        local ok, message = pcall(get, "items")
        if not ok then error(message, 0) end
      end)
    end)
  end
end)
