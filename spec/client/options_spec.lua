local argcheck = require "ampersand.util.argcheck"

describe("argcheck.nearest", function()
  it("finds what a typo meant", function()
    local known = { "timeout", "read_timeout", "project", "base_url" }
    assert.equal("timeout", argcheck.nearest("timeuot", known))
    assert.equal("base_url", argcheck.nearest("baseUrl", known))
    assert.equal("project", argcheck.nearest("Projects", known))
    assert.is_nil(argcheck.nearest("zebra", known))
    assert.is_nil(argcheck.nearest("x", {}))
  end)

  it("is calm about odd names", function()
    assert.is_nil(argcheck.nearest("", { "timeout" }))
    assert.equal("known are: a, b", argcheck.hint(("x"):rep(500), { "b", "a" }))
    assert.equal("none is known here", argcheck.hint("x", {}))
  end)
end)

describe("argcheck.check", function()
  it("knows its types", function()
    local schema = { n = "count", s = "seconds", f = "function|table" }
    assert.same({ n = 1 }, argcheck.check({ n = 1 }, schema, "f"))
    assert.same({}, argcheck.check(nil, schema, "f"))
    for _, wrong in ipairs { { n = 0 }, { n = 1.5 }, { n = "1" }, { s = 0 }, { s = 0 / 0 }, { f = 1 }, { [1] = 1 } } do
      assert.has_error(function() argcheck.check(wrong, schema, "f") end)
    end
    assert.error_matches(function() argcheck.check({ f = 1 }, schema, "f") end, 'option "f" must be function or table')
  end)
end)

describe("a client's general calls", function()
  it("refuse an argument behind the last one", function()
    local client = require("support.double").client(require("support.double").answers {})
    for name, call in pairs {
      request = function() client:request("POST", "/x", { a = 1 }, { timeout = 1 }) end,
      proxy = function() client:proxy("GET", "/x", { installation = "i" }, {}) end,
      call = function() client:call("listInstallations", {}, {}, {}) end,
    } do
      assert.error_matches(call, "client:" .. name .. " takes three arguments")
    end
  end)
end)
