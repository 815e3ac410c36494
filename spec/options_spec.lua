local options = require "ampersand.options"

describe("options.nearest", function()
  it("finds what a typo meant", function()
    local known = { "timeout", "read_timeout", "project", "base_url" }
    assert.equal("timeout", options.nearest("timeuot", known))
    assert.equal("base_url", options.nearest("baseUrl", known))
    assert.equal("project", options.nearest("Projects", known))
    assert.is_nil(options.nearest("zebra", known))
    assert.is_nil(options.nearest("x", {}))
  end)

  it("is calm about odd names", function()
    assert.is_nil(options.nearest("", { "timeout" }))
    assert.equal("known are: a, b", options.hint(("x"):rep(500), { "b", "a" }))
    assert.equal("none is known here", options.hint("x", {}))
  end)
end)

describe("options.check", function()
  it("knows its types", function()
    local schema = { n = "count", s = "seconds", f = "function|table" }
    assert.same({ n = 1 }, options.check({ n = 1 }, schema, "f"))
    assert.same({}, options.check(nil, schema, "f"))
    for _, wrong in ipairs { { n = 0 }, { n = 1.5 }, { n = "1" }, { s = 0 }, { s = 0 / 0 }, { f = 1 }, { [1] = 1 } } do
      assert.has_error(function() options.check(wrong, schema, "f") end)
    end
    assert.error_matches(function() options.check({ f = 1 }, schema, "f") end, 'option "f" must be function or table')
  end)
end)
