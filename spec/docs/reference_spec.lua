-- The reference is complete: whatever is public has words, and its parameters have names, types and words.
-- For one Lua: comments are read.

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

  describe("as HTML", function()
    local files = reference.html()

    it("begins with the quick start", function()
      assert.truthy(files["index.html"]:find("<h1>Quick start</h1>", 1, true))
      assert.truthy(files["index.html"]:find("<pre><code>make demo", 1, true))
    end)

    it("has a page for each resource and each schema, with every method", function()
      for _, op in ipairs(require("ampersand.client.operations").all()) do
        local page = files["resource-" .. op.resource .. ".html"]
        assert.truthy(page:find('<h2 id="' .. op.resource .. ":" .. op.verb .. '">', 1, true), op.id)
      end
      assert.truthy(files["resource-installations.html"]:find('<h2 id="installations:edit">', 1, true))
      assert.truthy(files["schema-Installation.html"]:find "<dt><code>healthStatus</code> <code class=\"type\">")
    end)

    it("has the options of new and the conditions of where, with their types", function()
      local page = files["options.html"]
      for _, name in ipairs { "api_key", "requests_per_second", "prefix", "present", "in" } do
        assert.truthy(page:find("<dt><code>" .. name .. '</code> <code class="type">', 1, true), name)
      end
    end)

    it("holds no link without a target, no text that HTML would take for a tag, and is laid out for phones", function()
      local problems, known = {}, {} -- most of the 200,000 tags are on every page
      local function need(holds, name, what)
        if not holds then problems[#problems + 1] = name .. ": " .. what end
      end
      local function check(name, tag)
        need(tag:find "^[/!]?%l+%d?[^<]*$" or tag:find "^!DOCTYPE", name, tag)
        local target = tag:match 'href="([^"]+)"'
        if not target or target:find "^https:" then return end
        local file, anchor = target:match "^([^#:]*)#?([^#:]*)$"
        local text = files[file == "" and name or file]
        need(text and (anchor == "" or text:find('id="' .. anchor .. '"', 1, true)), name, tag)
      end
      for name, text in pairs(files) do
        if name ~= "style.css" then
          need(text:find('<meta name="viewport"', 1, true), name, "no viewport")
          for tag in text:gmatch "<([^>]*)>" do
            if not known[tag] then
              check(name, tag)
              known[tag] = not tag:find('href="#', 1, true)
            end
          end
        end
      end
      assert.same({}, problems)
    end)

    it("names nothing internal", function()
      for name, text in pairs(files) do
        local main = text:sub(text:find("<main>", 1, true) or 1, text:find("</main>", 1, true))
        assert.is_nil(main:find("client/sender", 1, true) or main:find "[.:]_%l", name)
      end
    end)
  end)
end)
