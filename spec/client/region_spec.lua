-- Which host a request goes to: regions, base URLs, single servers.

local ampersand = require "ampersand"
local url = require "ampersand.util.url"

-- A client whose requests are noted instead of sent, and a function that gives the URL of the last one.
local function noting(given)
  local seen = {}
  given.api_key, given.project, given.integration = "key", "p-456", "i"
  given.transport = function(req)
    seen[#seen + 1] = req.url
    return { status = 200, headers = {}, body = req.url:find "/installations" and "[]" or "{}" }
  end
  return ampersand.new(given), function() return seen[#seen] end
end

local CALLS = {
  api = function(client) return client.installations:list() end,
  read = function(client) return client:request("POST", "/x", { server = "read" }) end,
  write = function(client) return client:request("POST", "/x", { server = "write" }) end,
  search = function(client) return client:request("POST", "/x", { server = "search" }) end,
  proxy = function(client) return client:proxy("GET", "/x", { installation = "i-1", project_id = nil }) end,
}

-- The beginning of each URL that the calls go to.
local function hosts(client, last)
  local found = {}
  for name, call in pairs(CALLS) do
    call(client)
    found[name] = (last() or ""):match "^https?://[^/]+/?v?%d*"
  end
  return found
end

local function expected(middle)
  local all = { proxy = "https://proxy" .. middle .. ".withampersand.com/" }
  for _, name in ipairs { "api", "read", "write", "search" } do
    all[name] = "https://" .. name .. middle .. ".withampersand.com/v1"
  end
  return all
end

describe("a region", function()
  it("stands in all five hosts", function()
    assert.same(expected ".eu", hosts(noting { region = "eu" }))
    assert.same(expected ".eu", hosts(noting { region = " EU\n" }))
    for _, region in ipairs { "", "us", "US", " us " } do assert.same(expected "", hosts(noting { region = region })) end
    assert.same(expected "", hosts(noting {}))
  end)

  it("can be changed by with, back to none as well", function()
    local client, last = noting { region = "eu" }
    assert.same(expected "", hosts(client:with { region = "us" }, last))
    assert.same(expected ".ap-1", hosts(client:with { region = "ap-1" }, last))
    assert.same(expected ".eu", hosts(client:with { timeout = 1 }, last))
  end)

  it("does not change base_url and servers", function()
    local client, last = noting { region = "eu", base_url = "http://127.0.0.1:1" }
    for name, host in pairs(hosts(client, last)) do
      assert.equal(name == "proxy" and "http://127.0.0.1:1/" or "http://127.0.0.1:1/v1", host, name)
    end
    client, last = noting { region = "eu", servers = { read = "https://gw.example/read" } }
    CALLS.read(client)
    assert.equal("https://gw.example/read/x", last())
    CALLS.write(client)
    assert.equal("https://write.eu.withampersand.com/v1/x", last())
  end)

  it("is refused when it cannot be a part of a host's name", function()
    for _, region in ipairs { "e.u", "-eu", "eu-", "1eu", "eu/", "e u", "eu@evil.example", ("e"):rep(64), "é" } do
      for _, try in ipairs {
        function() noting { region = region } end, function() ampersand.new {}:with { region = region } end,
      } do
        local ok, why = pcall(try)
        assert.is_false(ok, region)
        assert.truthy(tostring(why):find("is not the name of a region", 1, true), why)
        assert.truthy(tostring(why):find("region_spec", 1, true), why)
      end
    end
    assert.equal(("e"):rep(63), url.region(("e"):rep(63)))
  end)
end)

describe("a base URL", function()
  it("gets /v1 unless its path ends in a version, and the proxy's never has one", function()
    for given, base in pairs {
      ["https://a.example"] = "https://a.example/v1", ["https://a.example/"] = "https://a.example/v1",
      ["https://a.example/v1"] = "https://a.example/v1", ["https://a.example/v1/"] = "https://a.example/v1",
      ["https://a.example/v2"] = "https://a.example/v2", ["https://a.example/api"] = "https://a.example/api/v1",
    } do
      local client, last = noting { base_url = given }
      client:request("GET", "/x")
      assert.equal(base .. "/x", last())
      client:proxy("GET", "/x", { installation = "i-1" })
      assert.equal(base:gsub("/v%d$", "") .. "/x", last())
    end
  end)
end)
