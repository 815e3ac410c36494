local cache = require "ampersand.cache"
local clock = require "support.clock"
local core = require "ampersand.core"

-- A store whose server can be taken away.
local function removable()
  local inner, store = cache.memory(), { away = false, gets = 0 }
  for _, name in ipairs { "get", "set", "delete", "lock", "unlock" } do
    store[name] = function(self, ...)
      if self.away then return nil, "gone" end
      if name == "get" then self.gets = self.gets + 1 end
      return inner[name](inner, ...)
    end
  end
  return store
end

local function behaves_like_a_store(make)
  setup(clock.take)
  teardown(clock.restore)

  it("keeps, replaces and deletes", function()
    local store = make()
    assert.is_nil((store:get "a"))
    assert.is_true(store:set("a", "1", 10))
    assert.equal("1", store:get "a")
    store:set("a", "2")
    assert.equal("2", store:get "a")
    assert.is_true(store:delete "a")
    assert.is_nil((store:get "a"))
    assert.is_true(store:delete "a")
  end)

  it("keeps what it holds when it is given something else than a string", function()
    local store = make()
    store:set("a", "1")
    local refused = { [0] = nil, 7, true, {}, function() end }
    for i = 0, #refused do
      local ok, why = store:set("a", refused[i], 10)
      assert.is_nil(ok)
      assert.equal(("a store keeps strings, not a %s value"):format(type(refused[i])), why)
      assert.equal("1", store:get "a")
    end
  end)

  it("forgets after the time given", function()
    local store = make()
    store:set("a", "1", 20)
    assert.equal("1", store:get "a")
    clock.pass(30)
    assert.is_nil((store:get "a"))
  end)

  it("locks once, and unlocks for the holder alone", function()
    local store = make()
    local token = store:lock("a", 1000)
    assert.is_string(token)
    assert.is_nil((store:lock("a", 1000)))
    assert.is_string(store:lock("b", 10))
    assert.is_falsy(store:unlock("a", "near:other"))
    assert.is_nil((store:lock("a", 1000)))
    assert.is_true(store:unlock("a", token))
    assert.is_string(store:lock("a", 1000))
    assert.is_nil((store:get "a"))
  end)

  it("lets a lock run out, and keeps a late holder from releasing another's", function()
    local store = make()
    local late = store:lock("a", 20)
    clock.pass(30)
    local token = store:lock("a", 1000)
    assert.is_string(token)
    assert.is_falsy(store:unlock("a", late))
    assert.is_nil((store:lock("a", 1000)))
    assert.is_true(store:unlock("a", token))
  end)
end

describe("a store in this process", function()
  behaves_like_a_store(cache.memory)

  it("holds a bounded number of values", function()
    local store = cache.memory { max = 3 }
    for i = 1, 10 do store:set("k" .. i, tostring(i), i == 9 and 0.001 or nil) end
    assert.equal("10", store:get "k10")
    local held = 0
    for i = 1, 10 do held = held + (store:get("k" .. i) and 1 or 0) end
    assert.is_true(held >= 2 and held <= 3)
  end)
end)

describe("a layered store", function()
  behaves_like_a_store(function() return cache.layered(cache.memory(), cache.memory(), 0) end)

  it("asks the far store once in a while only", function()
    local far = removable()
    local store = cache.layered(cache.memory(), far, 10)
    far:set("a", "1")
    for _ = 1, 5 do assert.equal("1", store:get "a") end
    for _ = 1, 5 do assert.is_nil((store:get "b")) end
    assert.equal(2, far.gets)
  end)

  it("sees what others wrote once it holds the lock", function()
    local far = removable()
    local one, other = cache.layered(cache.memory(), far, 10), cache.layered(cache.memory(), far, 10)
    one:set("a", "old")
    assert.equal("old", other:get "a")
    one:set("a", "new")
    assert.equal("old", other:get "a")
    assert.is_string(other:lock("a", 1))
    assert.equal("new", other:get "a")
  end)

  it("goes on alone while the far store is away", function()
    local far = removable()
    local store = cache.layered(cache.memory(), far, 10)
    store:set("a", "1", 100)
    far.away = true
    clock.pass(20)
    assert.equal("1", store:get "a")
    local token = store:lock("a", 1000)
    assert.is_string(token)
    assert.is_nil((store:lock("a", 1000)))
    assert.is_true(store:unlock("a", token))
    local ok, why = store:set("a", "2", 100)
    assert.same({ nil, "gone" }, { ok, why })
    assert.equal("2", store:get "a")
  end)
end)

-- A store whose every call takes as long as it may, and then fails; `slow`: it takes a while, and answers.
local function hanging()
  local store = { calls = 0, hangs = true, inner = cache.memory() }
  for name, place in pairs { get = 2, set = 4, delete = 2, lock = 3, unlock = 3 } do
    store[name] = function(self, ...)
      self.calls = self.calls + 1
      local budget = select(place, ...)
      if self.hangs then
        clock.pass(math.min(1, budget and budget.left or 1))
        return nil, "timeout"
      end
      clock.pass(self.slow or 0)
      return self.inner[name](self.inner, ...)
    end
  end
  return store
end

describe("a far store that hangs", function()
  setup(clock.take)
  teardown(clock.restore)

  local function spent(run)
    local began = core.now()
    run()
    return core.now() - began
  end

  it("is waited for once, whatever is asked of it, until a probe got an answer", function()
    local far = hanging()
    local store = cache.layered(cache.memory(), far, 0)
    assert.is_true(spent(function() store:get "a" end) >= 1)
    assert.is_true(spent(function()
      for i = 1, 50 do
        store:get("k" .. i)
        store:set("k" .. i, "v")
        store:delete("k" .. i)
        store:unlock("k" .. i, store:lock("k" .. i, 1))
      end
    end) < 0.5)
    assert.equal(1, far.calls)
    for _, pause in ipairs { 1, 2, 4, 8, 8 } do -- each probe is one call
      local calls = far.calls
      clock.pass(pause - 0.5)
      store:get "a"
      assert.equal(calls, far.calls)
      clock.pass(0.6)
      for _ = 1, 5 do store:get "a" end
      assert.equal(calls + 1, far.calls)
    end
    far.hangs = false
    clock.pass(9)
    far.inner:set("a", "news")
    assert.equal("news", store:get "a")
    assert.equal("news", store:get "a")
  end)

  it("is one backend, whatever stores stand in front of it", function()
    local far = hanging()
    cache.layered(cache.memory(), far):get "a"
    cache.layered(cache.memory(), far):get "b"
    assert.equal(1, far.calls)
  end)

  it("counts as there when it refuses one thing, and is slow within the budget", function()
    local far = hanging()
    far.hangs, far.slow = false, 0.4
    function far.set() return nil, "out of memory", true end
    local store = cache.layered(cache.memory(), far, 0)
    store:set("a", "1")
    far.inner:set("b", "2")
    assert.equal("2", store:get "b")
    local budget = { left = 1 }
    assert.is_true(spent(function()
      for _ = 1, 10 do store:get("c", budget) end
    end) < 1.3)
    assert.equal("2", store:get "b")
  end)
end)

describe("stores of nginx", function()
  it("say what is missing elsewhere", function()
    assert.has_error(function() cache.shared "none" end)
    assert.error_matches(function() cache.shared "none" end, "lua_shared_dict none")
    assert.error_matches(function() cache.redis { hots = "h" } end, "did you mean")
    local receiver = require "ampersand.receiver"
    assert.error_matches(function() receiver.new { secret = "whsec_x" } end, "`handle` is missing")
    assert.error_matches(function() receiver.new { handle = print } end, "AMPERSAND_WEBHOOK_SECRET is not set")
  end)
end)
