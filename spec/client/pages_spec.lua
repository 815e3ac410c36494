-- Pages asked for ahead: the next one is under way while the caller consumes one, and nothing else changes.

local ampersand = require "ampersand"
local double = require "support.double"
local process = require "support.process"
local socket = require "socket"
local mock = require "support.mock"

local ID = "installation-0000003" -- eight operations

describe("the next page", function()
  local server, client, total

  local function new(more)
    local settings = { api_key = server.key, base_url = server.url, project = server.project, integration = server.integration }
    for name, value in pairs(more or {}) do settings[name] = value end
    return ampersand.new(settings)
  end

  local function requests()
    local seen = server:requests()
    local tokens = {}
    for i, request in ipairs(seen.requests) do
      if request.operation == "listOperations" then tokens[#tokens + 1] = request.query.pageToken or "first:" .. i end
    end
    return tokens
  end

  local function fault(settings)
    settings.on = "listOperations"
    server:control("faults", settings)
  end

  -- A request that is under way would take the next test's fault.
  local function arrived(count)
    assert.is_true(process.wait_until(function() return #requests() == count end, 10))
  end

  setup(function()
    server = mock.start { installations = 3 }
    total = #assert(new().operations:list(ID))
    assert.equal(8, total)
  end)
  teardown(function() server:stop() end)
  before_each(function()
    server:control("requests", { clear = true })
    client = new()
  end)
  after_each(function()
    client:close()
    server:control("faults", { clear = true })
  end)

  it("has been asked for before the caller asks for it", function()
    local stream = client.operations:stream(ID, { pageSize = 2 })
    assert.is_table(stream:next())
    arrived(2)
    assert.is_table(stream:next())
    socket.sleep(0.05)
    assert.equal(2, #requests())
    stream:close()
  end)

  it("is worked on by the server while the caller is busy", function()
    local delay, stream = 0.5, client.operations:stream(ID, { pageSize = 2 })
    fault { delay = delay, skip = 1, next = 1 }
    assert(stream:next())
    assert(stream:next())
    arrived(2)
    fault { delay = delay, skip = 1, next = 1 }
    local next_page = client.operations:pages(ID, { pageSize = 2 })
    assert.equal(2, #next_page())
    arrived(4)
    socket.sleep(delay + 0.1)
    for _, read in ipairs { function() return stream:next() end, next_page } do
      local before = socket.gettime()
      assert.is_table(read())
      assert.is_true(socket.gettime() - before < delay * 0.7)
    end
    stream:close()
  end)

  it("comes once, in order, and the last is the last", function()
    local expected = assert(client.operations:list(ID))
    for _, form in ipairs { "each", "stream", "pages" } do
      server:control("requests", { clear = true })
      local got = {}
      if form == "pages" then
        for page in client.operations:pages(ID, { pageSize = 1 }) do
          for _, operation in ipairs(page) do got[#got + 1] = operation end
        end
      else
        local stream = client.operations:stream(ID, { pageSize = 1 })
        local read = form == "each" and client.operations:each(ID, { pageSize = 1 }) or function() return stream:next() end
        for operation in read do got[#got + 1] = operation end
      end
      assert.same(expected, got)
      local tokens, seen = requests(), {}
      for _, token in ipairs(tokens) do
        assert.is_nil(seen[token], token)
        seen[token] = true
      end
      assert.equal(total, #tokens)
    end
  end)

  it("is asked for anew when the server cannot have seen the first request", function()
    local function page(id, rest) return double.json('{"results":[{"id":"' .. id .. '"}],"pagination":' .. rest .. "}") end
    local abandoned, transport = 0, double.answers(page("a", '{"done":false,"nextPageToken":"2"}'), page("b", '{"done":true}'))
    function transport.begin()
      local function abandon() abandoned = abandoned + 1 end
      return function() return nil, "no route", "connect", false end, abandon
    end
    local ids = {}
    for operation in double.client(transport).operations:each(ID) do ids[#ids + 1] = operation.id end
    assert.same({ "a", "b" }, ids)
    assert.same({ 2, 1 }, { #transport.asked, abandoned })
  end)

  it("raises from pages, once", function()
    local transport = double.answers(double.problem(400, '{"title":"Bad"}'))
    local next_page = double.client(transport).operations:pages(ID)
    local ok, err = pcall(next_page)
    assert.same({ false, 400 }, { ok, err.status })
    assert.is_nil(next_page())
    assert.equal(1, #transport.asked)
  end)

  it("is not asked for by those who want one element, or all at once", function()
    assert.is_table((client.operations:first(ID, { pageSize = 1 })))
    assert.equal(1, #assert(client.operations:list(ID, { pageSize = 1, max = 1 })))
    socket.sleep(0.05)
    assert.equal(2, #requests())
  end)

  -- Open sockets of this process, where the system shows them.
  local function sockets()
    if not io.open "/proc/self/fd" then return 0 end
    local pipe = assert(io.popen("ls -l /proc/$PPID/fd | grep -c socket"))
    local count = tonumber(pipe:read "*l")
    pipe:close()
    return count
  end

  it("is not asked for where `max` ends the pages", function()
    for max, wanted in pairs { [3] = { 2, 1 }, [4] = { 2, 2 } } do
      server:control("requests", { clear = true })
      local sizes = {}
      for page in client.operations:pages(ID, { pageSize = 2, max = max }) do sizes[#sizes + 1] = #page end
      assert.same(wanted, sizes)
      socket.sleep(0.05)
      assert.equal(2, #requests())
    end
  end)

  it("is given up when the caller stops early", function()
    local sockets_before = sockets() -- of other specs too
    local connections = function()
      local list, seen = {}, {}
      for _, request in ipairs(server:requests().requests) do
        if not seen[request.connection] then list[#list + 1] = request.connection end
        seen[request.connection] = true
      end
      return #list
    end
    for i = 1, 20 do
      fault { delay = 30, skip = 1, next = 1 }
      local stream = client.operations:stream(ID, { pageSize = 1 })
      assert(stream:next())
      arrived(2 * i)
      stream:close()
      stream:close()
      assert.is_nil(stream:next())
      server:control("faults", { clear = true })
    end
    -- the connections that waited are closed: the client goes on with new ones, and asks for nothing again
    local before = #requests()
    assert.equal(total, (client.operations:count(ID)))
    assert.equal(before + 1, #requests())
    assert.is_true(connections() >= 20)
    local left = sockets() - sockets_before
    assert.is_true(left <= 4, left)
  end)

  it("is given up when a loop is left, in Lua 5.4 at once", function()
    fault { delay = 30, skip = 1, next = 1 }
    for _ in client.operations:each(ID, { pageSize = 1 }) do -- luacheck: ignore
      arrived(2)
      break
    end
    server:control("faults", { clear = true })
    fault { delay = 30, skip = 1, next = 1 }
    for _ in client.operations:pages(ID, { pageSize = 1 }) do -- luacheck: ignore
      arrived(4)
      break
    end
    server:control("faults", { clear = true })
    collectgarbage()
    collectgarbage()
    assert.equal(total, (client.operations:count(ID)))
  end)

  it("is tried again where it failed, and its errors are told as ever", function()
    fault { status = 503, skip = 1, next = 1 }
    local count = 0
    for _ in client.operations:each(ID, { pageSize = 2 }) do count = count + 1 end
    assert.equal(total, count)
    assert.equal(math.ceil(total / 2) + 1, #requests())

    server:control("faults", { clear = true })
    fault { drop = true, skip = 1 }
    local stream, delivered = client.operations:stream(ID, { pageSize = 2 }, { retry = false }), 0
    local value, err
    repeat
      value, err = stream:next()
      if value then delivered = delivered + 1 end
    until not value
    assert.same({ 2, 2, "closed", 1, "listOperations" }, { delivered, err.delivered, err.kind, err.attempts, err.operation })

    server:control("faults", { clear = true })
    fault { status = 404, skip = 1 }
    delivered = 0
    local ok
    ok, err = pcall(function()
      local read = client.operations:each(ID, { pageSize = 2 })
      while true do
        if not read() then break end
        delivered = delivered + 1
      end
    end)
    assert.is_false(ok)
    assert.same({ 404, 2, 2 }, { err.status, err.delivered, delivered })
  end)

  it("keeps the deadline: the caller's own time never counts, but where the call has a `timeout`", function()
    local patient = new { timeout = 0.3, read_timeout = 0.3, retry = false }
    local hasty = client.operations:stream(ID, { pageSize = 1 }, { timeout = 0.3 })
    assert(hasty:next())
    arrived(2)
    local stream, count = patient.operations:stream(ID, { pageSize = math.ceil(total / 2) }), 0
    while true do
      local value, err = stream:next()
      assert.is_nil(err)
      if not value then break end
      count = count + 1
      if count == 1 then socket.sleep(0.4) end
    end
    assert.equal(total, count)
    local value, err = hasty:next()
    assert.is_nil(value)
    assert.same({ "timeout", 1 }, { err.kind, err.delivered })

    fault { delay = 30, skip = 1, next = 1 }
    stream = patient.operations:stream(ID, { pageSize = 1 })
    assert(stream:next())
    socket.sleep(0.1)
    local before = socket.gettime()
    value, err = stream:next()
    assert.is_nil(value)
    assert.equal("timeout", err.kind)
    local took = socket.gettime() - before
    assert.is_true(took > 0.2 and took < 10, took)
    patient:close()
  end)

  it("ends by its token", function()
    fault { delay = 30, skip = 1, next = 1 }
    local token = ampersand.cancel.token()
    local stream = client.operations:stream(ID, { pageSize = 1 }, { cancel = token })
    assert(stream:next())
    arrived(2)
    token:cancel()
    local value, err = stream:next()
    assert.is_nil(value)
    assert.same({ "cancelled", 1 }, { err.kind, err.delivered })
    local next_page = client.operations:pages(ID, { pageSize = 1 }, { cancel = ampersand.cancel.token() })
    assert.equal(1, #next_page())
  end)

  it("is there for several tasks at once", function()
    local tasks = {}
    for i = 1, 6 do
      tasks[i] = function()
        local stream, count = client.operations:stream(ID, { pageSize = 1 + i % 3 }), 0
        while true do
          local value, err = stream:next()
          if err then return nil, err end
          if not value then return count end
          count = count + 1
        end
      end
    end
    fault { delay = 0.01 }
    local values, errors = client:parallel(3, tasks)
    assert.same({}, errors)
    for i = 1, 6 do assert.equal(total, values[i]) end
  end)

  it("is not asked for twice by a client that was closed", function()
    local stream = client.operations:stream(ID, { pageSize = 1 })
    assert(stream:next())
    client:close()
    local value, err = stream:next()
    assert.is_nil(value)
    assert.equal("cancelled", err.kind)
    stream:close()
  end)
end)
