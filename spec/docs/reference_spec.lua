-- The reference is complete: whatever is public has words, and its parameters have names, types and words.

local reference = require "support.reference"

local function complaints(...)
  return reference.complaints(reference.read("x", table.concat({ ... }, "\n")))
end

describe("the reference", function()
  it("has words for everything public", function()
    assert.same({}, reference.problems())
  end)

  it("knows every function that a module answers", function()
    local loaded = 0
    for _, name in ipairs(reference.MODULES) do
      if name ~= "ampersand.types" then
        local known = {}
        for _, item in ipairs(reference.read(name).items) do known[item.name:match "[.:]([^.:]+)$" or item.name] = true end
        local module = require(name)
        for key, value in pairs(type(module) == "table" and module or {}) do
          if type(value) == "function" and not tostring(key):find "^_" then
            loaded = loaded + 1
            assert.is_true(known[key] or false, name .. "." .. tostring(key))
          end
        end
      end
    end
    assert.is_true(loaded > 40)
  end)

  it("holds every resource and method of the API", function()
    local functions = {}
    for _, item in ipairs(reference.read("ampersand.types").items) do functions[item.name] = item end
    for _, op in ipairs(require("ampersand.client.operations").all()) do
      local item = functions[op.resource .. ":" .. op.verb]
      assert.is_table(item, op.resource .. ":" .. op.verb)
      assert.truthy(table.concat(item.description, " "):find(op.path, 1, true), op.id)
    end
    for _, class in ipairs { "Installation", "Connection", "Operation", "ampersand.CallOptions" } do
      assert.is_table(functions[class], class)
    end
  end)

  it("would notice what is missing", function()
    assert.same({ "x: the module has no description", "x: x.a: no description", "x: x.a: the parameter b is not described" },
      complaints("local x = {}", "function x.a(b)", "end", "return x"))
    assert.same({ "x: x.a: there is no parameter c", }, complaints("--- Words.", "", "local x = {}", "", "--- Does.",
      "---@param b string what", "---@param c string what", "function x.a(b)", "end", "return x"))
    assert.same({ "x: T:go: no description" }, complaints("--- Words.", "", "---@class x.T", "local T = {}", "", "function T:go()",
      "end", "", "local U = {}", "function U:hidden()", "end", "return {}"))
    assert.same({}, complaints("--- Words.", "", "local x = {}", "", "--- Does.", "---@param b? string what",
      "function x.a(b)", "end", "", "function x._private()", "end", "return x"))
  end)

  it("writes LDoc's words, with nothing that HTML would take for its own", function()
    local text = reference.source "ampersand.client"
    assert.truthy(text:find("\n-- @class function\n-- @name Client:call\n-- @param id <code>string</code> operation id", 1, true), text:sub(1, 3000))
    assert.truthy(reference.source("ampersand"):find("-- <pre>", 1, true))
    text = reference.source "ampersand.types"
    assert.truthy(text:find("-- @table Installation\n", 1, true))
    assert.is_nil(text:find("<string", 1, true))
  end)
end)
