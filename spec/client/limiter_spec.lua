local core = require "ampersand.core"
local double = require "support.double"
local limiter = require "ampersand.client.limiter"
local mock = require "support.mock"
local simulated = require "support.simulated"

describe("a token bucket", function()
  -- The same numbers on every Lua.
  local function dice(seed)
    local state = seed
    return function()
      state = state * 16807 % 2147483647
      return state / 2147483647
    end
  end

  it("lets through one second's worth at most, and then no more than its rate, however requests come", function()
    for seed, rate in ipairs { 0.5, 1, 3, 10, 250 } do
      local draw, now, sent = dice(seed), 1000, {}
      local bucket = limiter.new(rate, now)
      for _ = 1, 300 do
        local wait = bucket:take(now)
        assert.truthy(wait >= 0)
        sent[#sent + 1] = now + wait
        now = now + draw() * draw() * 4 / rate
      end
      table.sort(sent)
      for from = 1, #sent do
        for to = from, #sent do
          local most = math.max(1, rate) + rate * (sent[to] - sent[from]) + 1e-6
          if to - from + 1 > most then
            assert.equal(most, to - from + 1, ("within %g s at %g/s"):format(sent[to] - sent[from], rate))
          end
        end
      end
    end
  end)

  it("returns unused permits", function()
    local bucket = limiter.new(2, 0)
    local _, era = bucket:take(0)
    bucket:take(0)
    assert.equal(0.5, (bucket:take(0)))
    bucket:give_back(era)
    assert.equal(0.5, (bucket:take(0)))
  end)

  it("is held back by a pause, the longest one, and then sends by its rate again", function()
    local bucket = limiter.new(10, 0)
    local _, before = bucket:take(0)
    local era = bucket:pause(5, 0)
    bucket:pause(3, 0)
    assert.are_not.equal(before, era)
    bucket:give_back(before) -- of before the pause: it counts no more
    assert.same({ 5.1, 5.2 }, { (bucket:take(0)), (bucket:take(0)) })
    bucket:pause(1e9, 0)
    assert.truthy((bucket:take(0)) <= 61)
    local plain = limiter.new(nil, 0)
    assert.equal(0, (plain:take(0)))
    era = plain:pause(5, 0)
    assert.equal(4, (plain:take(1)))
    plain:resume_sending(era, 1)
    assert.equal(0, (plain:take(1)))
  end)
end)

describe("requests_per_second", function()
  it("holds for parallel, with and edits of a fleet together", function()
    local server = mock.start { installations = 12 }
    local client = simulated.client(server, { requests_per_second = 20 })
    local started, tasks = core.now(), {}
    for i = 1, 12 do
      local one = i % 2 == 0 and client or client:with { timeout = 30 }
      tasks[i] = function() return one.installations:get(("installation-%07d"):format(i % 5 + 1)) end
    end
    client:parallel(12, tasks)
    assert.equal(12, assert(client.installations:edit({ { path = "createdBy", value = "builder:x" } }, {
      journal = false })).done)
    local seconds = core.now() - started
    client:close()
    local count = server:requests().count
    server:stop()
    assert.equal(12 + 1 + 24, count)
    assert.truthy(seconds >= (count - 20) / 20 - 0.05, seconds)
  end)

  it("fails at once, and unsent, where the deadline would pass in the bucket", function()
    local transport = double.answers(double.json "{}")
    local client = double.client(transport, { requests_per_second = 0.1, timeout = 5 })
    assert(client.installations:get "a")
    for _, retry in ipairs { false, true } do
      local value, err = client.installations:get("a", { retry = retry })
      assert.is_nil(value)
      assert.same({ "timeout", false, 0 }, { err.kind, err.sent, err.attempts })
      assert.matches("the deadline would pass before the request may be sent", err.message)
      assert.truthy(err.retry_after > 9 and err.retry_after <= 10)
    end
    assert.same({ 1, 0 }, { #transport.asked, #transport.slept })
    assert(client.installations:get("a", { timeout = 50 }))
    assert.truthy(transport.slept[1] > 9 and transport.slept[1] <= 10)
  end)

  it("reports to a listener how long a request waited", function()
    local seen = {}
    local client = double.client(double.answers(double.json "{}"), {
      requests_per_second = 1, on_event = function(event) seen[#seen + 1] = event.waited or 0 end,
    })
    client.installations:get "a"
    client.installations:get "a"
    assert.equal(0, seen[1])
    assert.truthy(seen[2] > 0 and seen[2] <= 1)
  end)

  it("is a positive number, and belongs to the connections", function()
    for _, bad in ipairs { 0, -1, "x" } do
      assert.error_matches(function() double.client(double.answers(), { requests_per_second = bad }) end,
        "must be a positive number")
    end
    local client = double.client(double.answers())
    assert.error_matches(function() client:with { requests_per_second = 1 } end, "belongs to ampersand.new")
  end)
end)

describe("a 429 with Retry-After", function()
  local function busy(headers) return double.problem(429, "{}", headers or { ["retry-after"] = "7" }) end

  it("holds back the whole client, and those made from it", function()
    local transport = double.answers(busy(), double.json "{}")
    local client = double.client(transport, { retry = false })
    assert.is_nil((client.installations:get "a"))
    assert(client:with({ project = "other" }).installations:get "b")
    assert.equal(1, #transport.slept)
    assert.truthy(transport.slept[1] > 6 and transport.slept[1] <= 7)
    local value, err = client.installations:get("c", { timeout = 3 })
    assert.is_nil(value)
    assert.same({ "timeout", false }, { err.kind, err.sent })
    assert.equal(2, #transport.asked)
  end)

  it("is waited out once by the call that got it", function()
    local transport = double.answers(busy(), double.json "{}")
    local client = double.client(transport)
    assert(client.installations:get "a")
    assert(client.installations:get "b")
    assert.same({ 7 }, transport.slept)
  end)

  it("does not, where it speaks for a provider, or names no time", function()
    local transport = double.answers(busy(), double.json "{}")
    local client = double.client(transport, { retry = false, project = "0b5a6b3e-9c44-4f0e-8a3d-111111111111" })
    assert.is_nil((client:proxy("GET", "/x", { installation = "i" })))
    assert(client.installations:get "a")
    assert.same({}, transport.slept)
    transport = double.answers(busy {}, double.json "{}")
    client = double.client(transport, { retry = false })
    assert.is_nil((client.installations:get "a"))
    assert(client.installations:get "a")
    assert.same({}, transport.slept)
  end)
end)
