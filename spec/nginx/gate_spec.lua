local cache = require "ampersand.cache"
local clock = require "support.clock"
local core = require "ampersand.core"
local double = require "support.double"
local gate = require "ampersand.gate"

local function installation(id, health, group)
  return { id = id, healthStatus = health, group = { groupRef = group or "acme" }, connection = { status = "working" } }
end

-- A gate over answers: each is a list of installations, or a fault.
local function make(given, ...)
  local answers = {}
  for i, answer in ipairs { ... } do
    answers[i] = answer.fault and answer or double.json(core.encode(core.array(answer)))
  end
  local transport = double.answers((table.unpack or unpack)(answers)) -- luacheck: ignore
  given.client = double.client(transport)
  given.store = given.store or cache.memory()
  return gate.new(given), transport
end

local FAULT = { fault = "the connection was closed", kind = "closed", sent = true }

describe("the gate", function()
  setup(clock.take)
  teardown(clock.restore)

  it("asks once and then knows", function()
    local g, transport = make({}, { installation("a", "healthy") })
    for _ = 1, 5 do
      local verdict = g:health { group = "acme" }
      assert.equal("healthy", verdict.state)
      assert.is_true(verdict.open)
      assert.is_false(verdict.stale)
      assert.equal("a", verdict.installation.id)
    end
    assert.equal(1, #transport.asked)
    assert.truthy(transport.asked[1].url:find("/integrations/hubspot/installations?groupRef=acme", 1, true))
  end)

  it("keeps groups and integrations apart", function()
    local g, transport = make({}, { installation("a", "healthy") })
    g:health { group = "acme" }
    g:health { group = "other" }
    g:health { group = "acme", integration = "sales:force" }
    g:health { group = "force:acme", integration = "sales" }
    assert.equal(4, #transport.asked)
  end)

  it("is closed for the unhealthy, and believes no other group's installation", function()
    local verdict = make({}, { installation("a", "unhealthy") }):health { group = "acme" }
    assert.same({ "unhealthy", false }, { verdict.state, verdict.open })
    verdict = make({}, { installation("a", "healthy", "other") }):health { group = "acme" }
    assert.same({ "absent", false }, { verdict.state, verdict.open })
    verdict = make({}, { installation("a", "brand new state") }):health { group = "acme" }
    assert.same({ "unknown", true }, { verdict.state, verdict.open })
  end)

  it("remembers absence", function()
    local g, transport = make({ on_absent = "open", negative = 20 }, {})
    assert.is_true(g:health({ group = "acme" }).open)
    assert.is_false(g:health({ group = "acme", on_absent = "closed" }).open)
    assert.equal(1, #transport.asked)
    clock.pass(25) -- longer than `negative`, shorter than `ttl`
    g:health { group = "acme" }
    assert.equal(2, #transport.asked)
  end)

  it("never takes the first of several", function()
    local two = { installation("a", "healthy"), installation("b", "unhealthy") }
    local g, transport = make({}, two)
    local function state(several)
      local verdict = g:health { group = "acme", several = several }
      return { verdict.state, verdict.open }
    end
    assert.same({ "several", false }, state())
    assert.same({ "unhealthy", false }, state "all")
    assert.same({ "healthy", true }, state "any")
    assert.same({ "unhealthy", false }, state(function(list) return list[2] end))
    assert.same({ "several", false }, state(function() end))
    assert.equal(1, #transport.asked)
  end)

  it("asks again after the ttl, and uses what it knew when that fails", function()
    local answers = { { installation("a", "healthy") }, FAULT, { installation("a", "unhealthy") } }
    local g, transport = make({ ttl = 20, negative = 20, stale = 10000 }, (table.unpack or unpack)(answers)) -- luacheck: ignore
    assert.equal("healthy", g:health({ group = "acme" }).state)
    clock.pass(30)
    local verdict = g:health { group = "acme" }
    assert.equal("healthy", verdict.state)
    assert.truthy(verdict.reason:find "the connection was closed")
    assert.equal(2, #transport.asked)
    g:health { group = "acme" }
    assert.equal(2, #transport.asked, "a failure is remembered")
    clock.pass(30)
    assert.equal("unhealthy", g:health({ group = "acme" }).state)
  end)

  it("uses what it knew through an outage as long as `stale` allows, and no longer", function()
    local g = make({ ttl = 20, negative = 20, stale = 60 }, { installation("a", "healthy") }, FAULT)
    assert.equal("healthy", g:health({ group = "acme" }).state)
    for _, state in ipairs { "healthy", "healthy", "unknown" } do
      clock.pass(30)
      assert.equal(state, g:health({ group = "acme" }).state)
    end
  end)

  it("does not use what is older than `stale` allows", function()
    local g = make({ ttl = 10, stale = 20, on_unknown = "closed" }, { installation("a", "healthy") }, FAULT)
    assert.is_true(g:health({ group = "acme" }).open)
    clock.pass(40)
    local verdict = g:health { group = "acme" }
    assert.same({ "unknown", false }, { verdict.state, verdict.open })
    assert.is_true(g:health({ group = "acme", on_unknown = "open" }).open)
  end)

  it("asks anew after invalidation, and keeps what it knew when that fails", function()
    local g, transport = make({}, { installation("a", "healthy") }, { installation("a", "unhealthy") }, FAULT)
    assert.equal("healthy", g:health({ group = "acme" }).state)
    g:invalidate "acme"
    assert.equal("unhealthy", g:health({ group = "acme" }).state)
    g:invalidate "acme"
    assert.equal("unhealthy", g:health({ group = "acme" }).state)
    assert.equal("unhealthy", g:health({ group = "acme" }).state)
    assert.equal(3, #transport.asked)
  end)

  it("shares answers through the store, and waits for another's question", function()
    local store = cache.memory()
    local one, first = make({ store = store }, { installation("a", "healthy") })
    local other, second = make({ store = store, timeout = 0.05 }, { installation("a", "unhealthy") })
    one:health { group = "acme" }
    assert.equal("healthy", other:health({ group = "acme" }).state)
    assert.same({ 1, 0 }, { #first.asked, #second.asked })
    assert.is_string(store:lock("gate:10:my-project:7:hubspot:new", 10))
    local verdict = other:health { group = "new" }
    assert.equal("unknown", verdict.state)
    assert.truthy(verdict.reason:find "in time")
    assert.equal(0, #second.asked)
  end)

  it("falls back on what it knew when the store goes away in the middle of a check", function()
    local inner, breaks, gone, store = cache.memory(), false, false, {}
    for _, name in ipairs { "get", "set", "delete", "lock", "unlock" } do
      store[name] = function(_, ...)
        gone = gone or (breaks and name == "lock")
        if gone then return nil, "gone" end
        return inner[name](inner, ...)
      end
    end
    local g, transport = make({ store = store, ttl = 10 }, { installation("a", "healthy") })
    g:health { group = "acme" }
    clock.pass(15)
    breaks = true
    local verdict = g:health { group = "acme" }
    assert.same({ "healthy", true, true }, { verdict.state, verdict.open, verdict.stale })
    assert.equal(1, #transport.asked)
  end)

  it("does not use what is too old while another asks, though a layered store keeps it", function()
    local inner, away, far, near = cache.memory(), false, {}, cache.memory()
    for _, name in ipairs { "get", "set", "delete", "lock", "unlock" } do
      far[name] = function(_, ...)
        if away then return nil, "gone" end
        return inner[name](inner, ...)
      end
    end
    local g = make({ store = cache.layered(near, far, 0), ttl = 10, stale = 20, timeout = 0.05 },
      { installation("a", "healthy") }, FAULT)
    for _ = 1, 2 do assert.equal("healthy", g:health({ group = "acme" }).state) end
    away = true
    clock.pass(15)
    local key = "gate:10:my-project:7:hubspot:acme"
    local token = near:lock(key, 1000)
    assert.equal("healthy", g:health({ group = "acme" }).state)
    clock.pass(25)
    local verdict = g:health { group = "acme" }
    assert.equal("unknown", verdict.state)
    assert.truthy(verdict.reason:find "in time")
    near:unlock(key, token)
    verdict = g:health { group = "acme" }
    assert.equal("unknown", verdict.state)
    assert.truthy(verdict.reason:find "the connection was closed")
  end)

  -- What encode refuses is this Lua's matter; here it refuses one id.
  it("remembers an answer that encode refuses as a failure, and keeps what it knew", function()
    local encode = core.encode
    finally(function() core.encode = encode end) -- luacheck: ignore
    function core.encode(value, ...)
      local first = type(value) == "table" and type(value.list) == "table" and value.list[1]
      if first and first.id == "unwritable" then return nil, "cannot encode list[1].id" end
      return encode(value, ...)
    end
    local answers = { { installation("a", "healthy") }, { installation("unwritable", "unhealthy") } }
    local g, transport = make({ ttl = 20, stale = 10000 }, (table.unpack or unpack)(answers)) -- luacheck: ignore
    g:health { group = "acme" }
    clock.pass(30)
    for _ = 1, 3 do
      local verdict = g:health { group = "acme" }
      assert.same({ "healthy", "the API's answer cannot be stored: cannot encode list[1].id" },
        { verdict.state, verdict.reason })
    end
    assert.equal(2, #transport.asked)
  end)

  it("remembers a failure whose words JSON has no place for, and a group of any bytes", function()
    local g, transport = make({}, { fault = "bad bytes \255\0", kind = "protocol", sent = true })
    for _ = 1, 3 do
      local verdict = g:health { group = "ac\0me\255" }
      assert.equal("unknown", verdict.state)
      assert.truthy(verdict.reason:find("bad bytes ", 1, true), verdict.reason)
    end
    assert.equal(1, #transport.asked)
  end)

  it("sends no request when the store does not answer", function()
    local function gone() return nil, "gone" end
    local g, transport = make({ store = { get = gone, set = gone, lock = gone, unlock = gone } }, {})
    local verdict = g:health { group = "acme" }
    assert.same({ "unknown", "gone" }, { verdict.state, verdict.reason })
    assert.equal(0, #transport.asked)
  end)

  it("waits for a store once in a look, and for at most store_timeout", function()
    local function hang(_, ...)
      local budget = select(select("#", ...), ...)
      clock.pass(budget.left)
      return nil, "timeout"
    end
    local hanging = { get = hang, set = hang, delete = hang, lock = hang, unlock = hang }
    for _, store in ipairs { hanging, cache.layered(cache.memory(), hanging) } do
      local g = make({ store = store, store_timeout = 0.7, ttl = 1 }, { installation("a", "healthy") })
      for _ = 1, 3 do
        local began = core.now()
        g:health { group = "acme" }
        assert.is_true(core.now() - began < 1)
      end
    end
  end)

  it("checks its options whatever it knows", function()
    local g = make({}, { installation("a", "healthy") })
    for _ = 1, 3 do g:health { group = "acme" } end
    assert.error_matches(function() g:health { group = "acme", tll = 5 } end, 'did you mean "ttl"')
    assert.error_matches(function() g:health { group = "acme", several = "most" } end, 'cannot be "most"')
    assert.error_matches(function() g:health { group = "acme", ttl = "5" } end, "must be a positive number")
  end)

  it("wants to be used rightly", function()
    local g = make({}, {})
    assert.error_matches(function() g:health {} end, "`group` is missing")
    assert.error_matches(function() g:health { group = "" } end, "`group` is missing")
    assert.error_matches(function() g:health { group = "a", on_unknwon = "open" } end, "did you mean \"on_unknown\"")
    assert.error_matches(function() gate.new { on_unknown = "ajar" } end, "cannot be \"ajar\"")
    assert.error_matches(function() g { group = "a" } end, "use gate:health")
    assert.error_matches(function() gate { group = "a" } end, "use gate:health")
  end)
end)
