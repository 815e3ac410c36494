local ampersand = require "ampersand"
local core = require "ampersand.core"
local double = require "support.double"
local simulated = require "support.simulated"
local mock = require "support.mock"

local function one(id, health, status, config)
  return ('{"id":"%s","healthStatus":"%s","connection":{"status":"%s"},"config":{"id":"%s"},"updateTime":null}'):format(
    id, health or "healthy", status or "working", config or "c1")
end

local function list(...)
  return double.json("[" .. table.concat({ ... }, ",") .. "]")
end

local function client_of(...)
  local transport = double.answers(...)
  return double.client(transport, { retry = false }), transport
end

-- What a watch tells until it ends: "type id was>now" each.
local function told(watch)
  local out = {}
  for change in watch do
    out[#out + 1] = ("%s %s %s>%s"):format(change.type, change.id, tostring(change.was), tostring(change.now))
  end
  return out
end

describe("a watch", function()
  it("reports what changed between two polls, and only that", function()
    local client, transport = client_of(
      list(one "a", one "b", one "c", one "d"),
      list(one("a", "unhealthy"), one "b", one("c", "healthy", "bad_credentials"), one("e", "unhealthy")),
      list(one "a", one("b", "healthy", "working", "c2"), one("c", "unhealthy"), one("e", "unhealthy")))
    local watch = client.installations:watch { interval = 7, polls = 3 }
    assert.same({
      "unhealthy a healthy>unhealthy", "bad_credentials c working>bad_credentials", "installed e nil>nil",
      "unhealthy e healthy>unhealthy", "removed d nil>nil",
      "healthy a unhealthy>healthy", "config b c1@->c2@-", "unhealthy c healthy>unhealthy",
      "connection c bad_credentials>working",
    }, told(watch))
    assert.same({ 7, 7 }, transport.slept)
    assert.equal(3, #transport.asked)
    assert.is_nil(watch:next())
  end)

  it("reports at the first poll only when that is asked for", function()
    local client = client_of(list(one "a", one("b", "unhealthy", "bad_credentials")))
    assert.same({}, told(client.installations:watch { polls = 1 }))
    assert.same({
      "installed a nil>nil", "installed b nil>nil", "unhealthy b healthy>unhealthy",
      "bad_credentials b working>bad_credentials",
    }, told(client.installations:watch { polls = 1, existing = true }))
  end)

  it("gives the fields that were fetched, and more when asked", function()
    local text = '[{"id":"a","healthStatus":"%s","group":{"groupName":"G"},"createdBy":"x","createTime":"t"}]'
    local client = client_of(double.json(text:format "healthy"), double.json(text:format "unhealthy"))
    local change = client.installations:watch { select = { "createdBy" } }:next()
    assert.same({ id = "a", healthStatus = "unhealthy", group = { groupName = "G" }, createdBy = "x" },
      change.installation)
    assert.truthy(math.abs(change.at - core.time()) < 60)
  end)

  it("survives what passes, and never takes a broken listing for a removal", function()
    local errors = {}
    local client, transport = client_of(list(one "a", one "b", one "c"),
      double.pieces({ "[" .. one("a", "unhealthy") .. "," }, "reset", "closed"),
      double.problem(503, "{}", { ["retry-after"] = "90" }),
      { fault = "no route", kind = "connect", sent = false },
      double.json '{"surprise":1}',
      list(one("a", "unhealthy"), one "b", one("c", "unhealthy")))
    local watch = client.installations:watch {
      interval = 5, polls = 6, on_error = function(err) errors[#errors + 1] = err.kind end,
    }
    assert.same({ "unhealthy a healthy>unhealthy", "unhealthy c healthy>unhealthy" }, told(watch))
    assert.same({ "closed", "status", "connect", "decode" }, errors)
    assert.same({ 5, 5, 90, 5, 5 }, transport.slept)
  end)

  it("takes no later part of a broken first look for news", function()
    local client = client_of(double.pieces({ "[" .. one "a" .. "," }, "reset", "closed"), list(one "a", one "b"),
      list(one "a", one "b", one "c"))
    assert.same({ "installed c nil>nil" }, told(client.installations:watch { polls = 3 }))
  end)

  it("ends with an error that waiting cannot mend, and polls again when called again", function()
    local client = client_of(double.problem(401, '{"title":"Unauthorized"}'), list(one "a"), list())
    local watch = client.installations:watch { polls = 3 }
    local change, err = watch:next()
    assert.is_nil(change)
    assert.equal(401, err.status)
    assert.equal("removed", watch:next().type)
    client = client_of(double.problem(403, "{}"))
    local ok, raised = pcall(told, client.installations:watch())
    assert.is_false(ok)
    assert.is_true(ampersand.is_error(raised))
  end)

  it("is saved and resumed: what was handed over is reported once, what was not is reported again", function()
    local looks = {
      list(one "a", one "b"),
      list(one("a", "unhealthy", "bad_credentials"), one("b", "healthy", "working", "c2"), one("n", "unhealthy")),
    }
    local all = { "unhealthy a", "bad_credentials a", "config b", "installed n", "unhealthy n" }
    for handed = 0, #all do
      local seen = {}
      local watch = client_of(looks[1], looks[2]).installations:watch { polls = 2 }
      for _ = 1, handed do
        local change = watch:next()
        seen[#seen + 1] = change.type .. " " .. change.id
      end
      if handed == 0 then -- killed before anything was handed over: the first look must have been made
        watch = client_of(looks[1]).installations:watch { polls = 1 }
        assert.is_nil(watch:next())
      end
      local saved = assert(core.encode(watch:state()))
      local state = assert(core.decode(saved))
      local resumed = client_of(looks[2], looks[2]).installations:watch { polls = 2, state = state }
      for change in resumed do seen[#seen + 1] = change.type .. " " .. change.id end
      assert.same(all, seen, handed)
    end
  end)

  it("says what its state must be", function()
    local client = client_of(list())
    for _, state in ipairs { {}, { version = 2, installations = {} }, { version = 1, installations = { a = 1 } } } do
      assert.error_matches(function() client.installations:watch { state = state } end, "watch:state")
    end
    assert.error_matches(function() client.installations:watch { intervall = 1 } end, "did you mean \"interval\"")
    local state = { version = 1, complete = true, installations = {} }
    client.installations:watch({ state = state, polls = 1, existing = true }):next()
    assert.same({ version = 1, complete = true, installations = {} }, state)
  end)

  it("that could not look at its last poll says why, instead of ending as if nothing had changed", function()
    local down = { fault = "no route", kind = "connect", sent = false }
    for _, case in ipairs {
      { { down }, 1, "connect" }, { { list(one "a"), down }, 2, "connect" }, { { double.problem(503, "{}") }, 1, "status" },
      { { { fault = "slow", kind = "timeout" } }, 2, "timeout" }, { { double.json "[{" }, 1, "decode" },
      { { down, list(one "a") }, 2 }, { { double.problem(503, "{}"), down, list() }, 3 },
    } do
      local watch = client_of((table.unpack or unpack)(case[1])).installations:watch { polls = case[2] } -- luacheck: ignore
      for _ = 1, 2 do
        local change, err = watch:next()
        assert.is_nil(change)
        assert.equal(case[3], err and err.kind)
      end
      if case[3] then
        local ok, raised = pcall(watch)
        assert.is_false(ok)
        assert.is_true(ampersand.is_error(raised))
      end
    end
  end)

  it("ends when it is closed", function()
    local client, transport = client_of(list(one "a"), list(one("a", "unhealthy"), one "b"))
    local watch = client.installations:watch()
    assert.equal("unhealthy", watch:next().type)
    watch:close()
    assert.is_nil(watch:next())
    assert.equal(2, #transport.asked)
  end)

  it("keeps names that hold blanks, and reports each installation once however often it is listed", function()
    local client = client_of(list(one("a b%", "very healthy", "", "c 1")),
      list(one("a b%", "unhealthy", "", "c 1"), one("a b%", "unhealthy", "", "c 1")))
    assert.same({ "unhealthy a b% very%20healthy>unhealthy" }, told(client.installations:watch { polls = 2 }))
  end)
end)

describe("a watch over the simulated fleet", function()
  it("sees what happens, through faults, in 500 installations", function()
    local server = mock.start { installations = 500 }
    local client = simulated.client(server, { retry = false })
    local steps = {
      function() server:control("installations", { id = "installation-0000200", set = {
        connection = { status = "bad_credentials" } } }) end,
      function() server:control("faults", { on = "listInstallations", cut = 300000, next = 1 }) end,
      function()
        server:control("installations", { id = "installation-0000400", remove = true })
        server:control("installations", { add = 1 })
      end,
    }
    local looks, failures = {}, 0
    local function step()
      local run = table.remove(steps, 1)
      if run then run() end
    end
    local watch = client.installations:watch {
      interval = 0.01, polls = 4, on_poll = function(look) looks[#looks + 1] = look.listed step() end,
      on_error = function() failures = failures + 1 step() end,
    }
    local seen = {}
    for change in watch do seen[#seen + 1] = change.type .. " " .. change.id end
    server:stop()
    client:close()
    assert.same({ "bad_credentials installation-0000200", "installed installation-0000504",
      "removed installation-0000400" }, seen)
    assert.same({ 500, 500, 500 }, looks)
    assert.equal(1, failures)
  end)
end)
