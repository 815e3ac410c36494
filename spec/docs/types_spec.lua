-- For one Lua: the annotations are compared with the documents and the code.

local ampersand = require "ampersand"
local annotations = require "support.annotations"
local documents = require "support.documents"
local generator = require "support.generate_types"
local operations = require "ampersand.client.operations"

local PATH = "lua/ampersand/types.lua"

local read = require "support.read_file"

-- What an editor would gather: classes with their fields, aliases, methods with their parameters.
local function gather(text)
  local known = { classes = {}, names = {}, methods = {}, parameters = {} }
  local class
  local parameters = {}
  for line in text:gmatch "[^\n]+" do
    local name = line:match "^%-%-%-@class ([%w_%.]+)" or line:match "^%-%-%-@alias ([%w_%.]+)"
    local key, mark, kind = line:match '^%-%-%-@field %[?"?([%w_%-]+)"?%]?(%??) (.+)$'
    local resource, verb = line:match "^function ([%l_]+):([%l_]+)%("
    if name then
      class = known.classes[name] or {}
      known.classes[name] = class
      known.names[#known.names + 1] = name
    elseif key then
      class[key] = { optional = mark == "?", type = kind }
    elseif resource then
      known.methods[resource .. ":" .. verb] = true
      known.parameters[resource .. ":" .. verb] = parameters
      parameters = {}
    elseif line:match "^%-%-%-@param" then
      parameters[#parameters + 1] = line:match "^%-%-%-@param (.+)$"
    end
  end
  return known
end

local LIST_FORMS = { "each", "stream", "pages", "first", "count", "where", "select" }

-- Every way in which the annotations do not fit the table of operations.
local function misfits(known)
  local found, expected = {}, {}
  local function complain(...) found[#found + 1] = table.concat({ ... }, " ") end
  for _, op in ipairs(operations.all()) do
    local method = op.resource .. ":" .. op.verb
    expected[method] = true
    if not known.methods[method] then complain("no method", method) end
    if not (known.classes["ampersand.Client"] or {})[op.resource] then complain("no resource", op.resource) end
    if op.verb == "list" and op.returns ~= "map" then
      for _, form in ipairs(LIST_FORMS) do
        expected[op.resource .. ":" .. form] = true
        if not known.methods[op.resource .. ":" .. form] then complain("no method", op.resource .. ":" .. form) end
      end
    end
    for element in (op.element or ""):gmatch "[^|]+" do
      if not known.classes[element] then complain("no class", element) end
    end
  end
  for method in pairs(known.methods) do
    if not expected[method] then complain("surplus method", method) end
  end
  table.sort(found)
  return found
end

-- What a call's fields must look like: name -> required.
local function fields_of(op)
  local fields = {}
  for _, name in ipairs(op.query_names) do fields[name] = false end
  for _, name in ipairs(op.required_query) do fields[name] = true end
  for _, field in ipairs(op.body or {}) do
    for _, name in ipairs(field.one_of or (not field.path[2] and { field.name }) or {}) do
      fields[name] = field.required and not field.one_of
    end
  end
  return fields
end

local compares = documents.specs(it, pending)

describe("the annotations", function()
  local known = gather(read(PATH))

  it("have every resource, verb and answer of the table of operations, and no others", function()
    assert.same({}, misfits(known))
  end)

  it("would notice a missing and a surplus one", function()
    local function first(from, to)
      local text, count = read(PATH):gsub(from, to)
      assert.equal(1, count)
      return misfits(gather(text))[1]
    end
    assert.equal("no method topics:update", first("function topics:update", "function topics:"))
    assert.equal("surplus method topics:fly", first("$", "\nfunction topics:fly() end\n"))
    assert.equal("no resource jwt_keys", first("@field jwt_keys", "@filed jwt_keys"))
    assert.equal("no class Log", first("@class Log\n", "@class Logg\n"))
  end)

  it("have every field of every call, required where the API requires it", function()
    for _, op in ipairs(operations.all()) do
      local wanted = fields_of(op)
      local class = known.classes[op.id:sub(1, 1):upper() .. op.id:sub(2) .. "Fields"]
      if next(wanted) and op.verb ~= "in_project" then
        assert.is_table(class, op.id)
        for name, required in pairs(wanted) do
          assert.is_table(class[name], op.id .. " " .. name)
          assert.equal(required, not class[name].optional, op.id .. " " .. name)
        end
        for name in pairs(class) do assert.is_not_nil(wanted[name], op.id .. " " .. name) end
      end
    end
  end)

  it("name the ids a caller gives, in the order of the path", function()
    assert.same({ "installationId string", "options? ampersand.CallOptions" }, known.parameters["installations:get"])
    assert.same({ "fields? ListInstallationsFields", "options? ampersand.CallOptions" },
      known.parameters["installations:list"])
    assert.equal("installationId string", known.parameters["operations:list"][1])
    local metadata = known.parameters["objects:get_connection_metadata"]
    assert.same({ "provider string", "objectName string" }, { metadata[1], metadata[2] })
    assert.equal("projectIdOrName string", known.parameters["projects:delete"][1])
  end)

  it("describe each class once", function()
    local seen = {}
    for _, name in ipairs(known.names) do
      assert.is_nil(seen[name], name)
      seen[name] = true
    end
  end)

  it("have the options that ampersand.new and a call take", function()
    local function known_by(f)
      local ok, message = pcall(f, { qqqqqqqqqqqqqqqq = true })
      assert.is_false(ok)
      local names = {}
      for name in message:match("known are: (.*)$"):gmatch "[%w_]+" do names[name] = true end
      return names
    end
    local function names_of(class)
      local names = {}
      for name, field in pairs(known.classes[class]) do
        assert.is_true(field.optional, class .. "." .. name)
        names[name] = true
      end
      return names
    end
    local client = ampersand.new { api_key = "k", project = "p", integration = "i" }
    assert.same(known_by(ampersand.new), names_of "ampersand.Options")
    assert.same(known_by(function(options) client.integrations:list(options) end), names_of "ampersand.CallOptions")
    assert.same(known_by(function(retry) ampersand.new { retry = retry } end), names_of "ampersand.RetryOptions")
  end)

  it("have the operators of where", function()
    local _, message = pcall(function() ampersand.new().installations:where { id = { qqqqqqqqqqqq = 1 } } end)
    for name in pairs(known.classes["ampersand.Test"]) do
      assert.truthy(message:find("%f[%a]" .. name .. "%f[%A]"), name .. " is not in: " .. message)
    end
  end)

  it("declare each type once and use each alias, in all files", function()
    assert.same({}, annotations.problems(annotations.files()))
  end)

  it("would notice an unknown type, a second declaration and an alias that is not used", function()
    local function problems(text, more) return annotations.problems { ["a.lua"] = text, ["b.lua"] = more or "" } end
    assert.same({}, problems "---@class A\n---@field b? A[]|table<string, fun(x: A, y: string?): A?>|\"word\" what it is\n")
    assert.same({ "a.lua: unknown type B" }, problems "---@class A : B\n")
    assert.same({ "a.lua: unknown type B" }, problems "---@param x fun(y: B): string words C\n")
    assert.same({ "a.lua: unknown type B" }, problems "---@return string? name, B? what words\n")
    assert.same({ "b.lua: type A is declared in a.lua, too" }, problems("---@class A\n", "---@class A\n"))
    assert.same({ "a.lua: type A is declared in a.lua, too" }, problems "---@class A\n---@class A\n")
    assert.same({ "a.lua: alias A is not used" }, problems "---@alias A string\n")
    assert.same({}, problems("---@alias A string\n", "---@type A\n"))
  end)

  it("are a file that does nothing when it is loaded after all", function()
    local before, after = 0, 0
    for _ in pairs(_G) do before = before + 1 end
    assert(loadfile(PATH))()
    for _ in pairs(_G) do after = after + 1 end
    assert.equal(before, after)
  end)

  compares("have every schema of the documents with every field", function()
    local all, count = documents.open(), 0
    all[#all + 1] = documents.open_webhook()
    for _, document in ipairs(all) do
      for key, schema in pairs(document.components.schemas) do
        count = count + 1
        local class = known.classes[generator.class_name(key)]
        if not class then assert.is_false(generator.is_class(document, schema), key) end -- an alias that is not used
        class = class or {}
        local properties, required = document:members(schema)
        for name in pairs(properties) do
          assert.is_table(class[name], key .. "." .. name)
          assert.equal(required[name] or false, not class[name].optional, key .. "." .. name)
        end
      end
    end
    assert.is_true(count >= 190, "only " .. count .. " schemas")
  end)

  compares("are what the generator makes of the documents today", function()
    assert.is_true(generator.text() == read(PATH), "run: lua spec/support/generate_types.lua")
  end)
end)
