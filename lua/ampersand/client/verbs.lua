--- Verbs that are more than one operation, by resource; each is a function of this name in its module, loaded when it
-- is first used: `function(resource, ...)`.

---@class ampersand.resource.installations
---@field watch fun(self: table, options?: table): ampersand.Watch
---@field explain fun(self: table, ...: string): ampersand.Explanation?, ampersand.Error?
---@field edit fun(self: table, fn: function, options: table): ampersand.FleetReport?, ampersand.Error?
---@field undo fun(self: table, journal: string, options?: table): ampersand.FleetReport?, ampersand.Error?

---@class ampersand.resource.operations
---@field wait fun(self: table, id: string, options?: table): Operation?, ampersand.Info|ampersand.Error

local verbs = {
  installations = {
    watch = "ampersand.fleet.watch", explain = "ampersand.fleet.explain", edit = "ampersand.fleet.edit",
    undo = "ampersand.fleet.undo",
  },
  operations = { wait = "ampersand.fleet.wait" },
}

-- Operations whose answers learn something: `decorate(client, value)` of the module gives the value back.
local answers = { triggerRead = "ampersand.fleet.wait", writeRecords = "ampersand.fleet.wait" }

return {
  --- Names of the verbs of a resource, with their modules.
  of = function(resource) return verbs[resource] or {} end,

  --- The function behind a verb, or nil.
  find = function(resource, verb)
    local module = verbs[resource] and verbs[resource][verb]
    return module and require(module)[verb]
  end,

  --- Gives the answer of an operation what belongs to it.
  decorate = function(client, op, value)
    local module = type(value) == "table" and answers[op.id]
    return module and require(module).decorate(client, value) or value
  end,
}
