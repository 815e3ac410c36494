-- The modules that all layers use: paths, URLs, secrets, the environment, loading.

local core = require "ampersand.core"
local deep = require "ampersand.util.deep"
local redact = require "ampersand.util.redact"
local query_string = require "ampersand.util.query_string"
local url = require "ampersand.util.url"

describe("util.deep", function()
  local value = { a = { b = { 1, { c = "x" } }, n = core.null }, ["d.e"] = true }

  it("gets, sets and removes by path", function()
    assert.equal("x", deep.get(value, "a.b.2.c"))
    assert.equal("x", deep.get(value, { "a", "b", 2, "c" }))
    assert.equal(core.null, deep.get(value, "a.n"))
    assert.is_nil(deep.get(value, "a.n.b"))
    assert.is_true(deep.get(value, { "d.e" }))
    local copy = deep.copy(value)
    deep.set(copy, "a.b.2.c", "y")
    deep.set(copy, "new.way", 1)
    deep.set(copy, "a.n", nil)
    assert.equal("x", value.a.b[2].c)
    assert.same({ a = { b = { 1, { c = "y" } } }, ["d.e"] = true, new = { way = 1 } }, copy)
    assert.is_nil(deep.split "a..b")
  end)

  it("compares as JSON and keeps marks in copies", function()
    assert.is_true(deep.equal(deep.copy(value), value))
    assert.is_false(deep.equal({ 1 }, { 1, 2 }))
    assert.is_true(deep.equal(core.array {}, {}))
    assert.is_true(deep.is_list(deep.copy(core.array {})))
    assert.is_false(deep.is_list {})
  end)

  it("visits what a path with wildcards names", function()
    local seen = {}
    deep.each({ o = { a = { s = 1 }, b = { s = 2 }, c = 3 } }, "o.*.s", function(found, parent, key)
      seen[#seen + 1] = found
      parent[key] = 10
    end)
    table.sort(seen)
    assert.same({ 1, 2 }, seen)
    assert.is_true(deep.each({ { n = 1 }, { n = 2 } }, "*.n", function(found) return found == 2 end))
  end)
end)

describe("util.url", function()
  it("knows the parts of a URL", function()
    local parts = url.parse "HTTPS://u:p@Host.example:8443/v1/x?q=1#f"
    assert.same({ "https", "host.example", "8443", "/v1/x", "q=1" },
      { parts.scheme, parts.host, parts.port, parts.path, parts.query })
    assert.equal("[::1]", url.parse("http://[::1]:80").host)
    assert.is_nil(url.parse "/v1")
    for _, host in ipairs {
      "localhost", "LOCALHOST:80", "localhost.", "a.localhost", "127.0.0.1", "127.1:80", "127.255.0.1", "[::1]",
      "[0:0:0:0:0:0:0:1]:80", "[0000::0001]", "[::ffff:127.0.0.1]", "[::FFFF:7f00:1]",
    } do
      assert.is_true(url.is_loopback("http://" .. host .. "/v1"), host)
    end
    for _, host in ipairs {
      "127.0.0.1.example.com", "notlocalhost", "localhost.example.com", "127.example.com", "127.", "0.0.0.0", "[::]", "[::2]",
      "[1::1]", "[::ffff:128.0.0.1]", "localhost@example.com", "a.localhost.b",
    } do
      assert.is_false(url.is_loopback("http://" .. host .. "/v1"), host)
    end
  end)

  it("writes numbers alike in every locale", function()
    assert.equal("1.5", url.escape(1.5))
    local plain = tostring
    _G.tostring = function(v) return type(v) == "number" and plain(v):gsub("%.", ",") or plain(v) end -- as a locale with decimal commas does
    local text = url.escape(1.5)
    _G.tostring = plain
    assert.equal("1.5", text)
    assert.equal("a%20b%2F", url.escape "a b/")
  end)

  it("reads what it writes, and queries", function()
    local text = "a b/+%&=\0\255Zoë"
    assert.equal(text, query_string.unescape(url.escape(text)))
    assert.equal("100%, %zz", query_string.unescape "100%, %zz")
    assert.same({ ["a b"] = "c d+", e = "", f = "2=3", [""] = "x" }, query_string.read "a+b=c%20d%2b&e&&f=1&f=2=3&=x")
    assert.same({ a = "1", b = "2" }, query_string.read("b=2", { a = "1" }))
  end)
end)

describe("util.redact", function()
  it("hides secrets by value, by shape and by name", function()
    local jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
    for _, text in ipairs {
      "the key key-123456 is bad", jwt, "Authorization: Bearer abc123def", "https://x/y?a=1&token=t0ken&b=2",
      "/projects/p/api-keys/k3y", "?token=t0ken",
    } do
      local clean = redact.text(text, { "key-123456" })
      assert.truthy(clean:find("[redacted]", 1, true), text)
      for _, secret in ipairs { "key-123456", "eyJ", "abc123def", "t0ken", "k3y" } do
        assert.is_nil(clean:find(secret, 1, true), clean)
      end
    end
    assert.equal("a bearer token is needed", redact.text "a bearer token is needed")
    assert.same({ ["[redacted]"] = { "[redacted]!" } }, redact.copy({ secret1 = { "secret1!" } }, { "secret1" }))
    assert.is_true(redact.is_secret_header "X-Api-Key")
    assert.is_true(redact.is_secret_member "refreshToken")
    assert.is_true(redact.is_secret_parameter "X-Amz-Signature")
  end)
end)

describe("util.require", function()
  it("names ampersand.load where a file is gone", function()
    local load = require "ampersand.util.require"
    assert.equal(deep, load "ampersand.util.deep")
    local ok, why = pcall(load, "ampersand.nothing_of_the_kind")
    assert.is_false(ok)
    assert.truthy(why:find("ampersand.load()", 1, true), why)
  end)
end)
