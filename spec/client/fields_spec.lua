-- Names of fields: near misses of what the API documents are refused, in conditions, selections and bodies; names that
-- resemble nothing pass, and `unknown_fields = "ignore"` lets everything pass.

local ampersand = require "ampersand"
local double = require "support.double"
local fields = require "ampersand.client.fields"
local operations = require "ampersand.client.operations"

local client = double.client(double.answers(double.json "[]"))
local installations = client.installations

local function refused(words, call)
  local ok, message = pcall(call)
  assert.is_false(ok)
  assert.truthy(tostring(message):find(words, 1, true), tostring(message))
  assert.truthy(tostring(message):find("fields_spec.lua:%d"), tostring(message)) -- the caller's line
end

describe("a near miss of a known name is refused", function()
  it("in conditions, wherever they stand", function()
    refused('unknown field "heathStatus"; did you mean "healthStatus"?', function()
      installations:where { heathStatus = "healthy" }
    end)
    for typo, meant in pairs {
      ["conection.status"] = "connection.status", ["connection.staus"] = "connection.status", idd = "id",
      ["config.contnet"] = "config.content", health_status = "healthStatus", ["group.groupReff"] = "group.groupRef",
      ["config.content.raed.objects"] = "config.content.read.objects", createdTime = "createTime",
      ["config.content.read.objects.contact.schedul"] = "config.content.read.objects.contact.schedule",
      ["config.content.read.objects.*.schedul"] = "config.content.read.objects.*.schedule",
    } do
      local words = ("did you mean %q?"):format(meant)
      refused(words, function() installations:where { [typo] = "x" } end)
      refused(words, function() installations:where { [typo] = { present = true } } end)
      refused(words, function() installations:where { [typo] = function() return true end } end)
      refused(words, function() installations:where { any = { { id = "1" }, { [typo] = "x" } } } end)
      refused(words, function() installations:in_project():where { all = { { any = { { [typo] = "x" } } } } } end)
      refused(words, function() installations:select { "id", typo } end)
    end
    refused('did you mean "provider"', function() client.connections:where { povider = "hubspot" } end)
  end)

  it("in the fields of a body, at any depth", function()
    local function read(body) return client.installations:read("contact", body) end
    refused('unknown field "sinceTimestap"; did you mean "sinceTimestamp"?', function()
      read { groupRef = "g", mode = "async", sinceTimestap = "2024-01-01" }
    end)
    refused('"installation.config.contnet"; did you mean "installation.config.content"?', function()
      client.installations:update("1", { updateMask = { "x" }, installation = { config = { contnet = {} } } })
    end)
    refused('did you mean "changes.1.path"', function()
      client.installations:patch_object("contact", { groupRef = "g", action = "x", changes = { { op = "add", pth = "/a" } } })
    end)
    refused('did you mean "sinceTimestamp"', function()
      client:call("triggerRead", { objectName = "contact", body = { groupRef = "g", mode = "async", sinceTimestam = 1 } })
    end)
  end)

  it("but not what resembles nothing, is new by a word, or stands in a map of any names", function()
    local list = double.client(double.answers(double.json "[]")).installations
    for _, name in ipairs { "brandNew", "connectionId", "config.content.brandNew.x", "nothing.like.it", "*.idd", "*" } do
      assert(list:where({ [name] = "x" }):list())
      assert(list:select({ name }):list())
    end
    assert(list:where({ ["config.content.read.objects.conatct.schedule"] = "x" }):list())
    assert(list:where({ [{ "config", "content", "read", "objects", "a.b" }] = { present = true } }):list())
    local double_client = double.client(double.answers(double.json "{}"))
    assert(double_client.installations:create { groupRef = "g", config = { content = {
      provider = "p", read = { objects = { anyThing = { objectName = "anyThing" } } } } }, brandNew = 1 })
  end)

  it("unless unknown_fields is \"ignore\"", function()
    local transport = double.answers(double.json "[]")
    for _, lenient in ipairs {
      double.client(transport, { unknown_fields = "ignore" }), double.client(transport):with { unknown_fields = "ignore" },
    } do
      assert(lenient.installations:where({ heathStatus = "x" }):select({ "idd" }):list())
    end
    local body = { groupRef = "g", mode = "async", sinceTimestap = "x" }
    transport = double.answers(double.json "{}")
    assert(double.client(transport).installations:read("contact", body, { unknown_fields = "ignore" }))
    assert(double.client(transport, { unknown_fields = "ignore" }).installations:read("contact", body))
    assert.error_matches(function() ampersand.new { unknown_fields = "x" } end, "must be one of")
  end)
end)

describe("a number compared with a time", function()
  it("is refused: it would match nothing", function()
    for _, condition in ipairs { { gte = 1700000000 }, 1700000000, { lt = 1 } } do
      refused("is a time in text form, which no number matches", function() installations:where { createTime = condition } end)
    end
    refused("connection.updateTime is a time in text form", function()
      installations:where { any = { { ["connection.updateTime"] = { gt = 5 } } } }
    end)
    assert(installations:where { createTime = { gte = "2024-01-01" } })
    assert(installations:where { brandNewTime = { gte = 5 } })
  end)
end)

describe("the table of names", function()
  it("is what the annotations say", function()
    local file = assert(io.open("lua/ampersand/client/fields.lua", "rb"))
    local text = file:read "*a"
    file:close()
    assert.is_true(text == require("support.generate_fields").file(), "lua spec/support/generate_fields.lua")
  end)

  it("knows every element and every body", function()
    for _, op in ipairs(operations.all()) do
      if op.verb == "list" and operations.is_list(op) then assert.truthy(fields.names(op.element)[1], op.id) end
      for _, field in ipairs(op.body or {}) do
        for name in field.name:gmatch "[^|]+" do
          local body = {}
          local at = body
          for key in name:gmatch "[^.]+" do
            at[key] = {}
            at = at[key]
          end
          assert.is_nil(fields.body_problem(op.id, body), op.id .. " " .. name)
        end
      end
    end
  end)
end)
