--- Changes of a config as data, which a journal can hold and compare: what `edit` takes in place of a function.
--
--     { { path = "content.read.objects.*.schedule", value = "0 * * * *" },
--       { path = "content.write.objects.lead", remove = true } }

local argcheck = require "ampersand.util.argcheck"
local deep = require "ampersand.util.deep"

local unpack = table.unpack or unpack -- luacheck: ignore

local assign = {}

local FIELDS = { path = true, value = true, remove = true }

local function keys_of(change, what)
  local path = change.path
  local keys = type(path) == "string" and deep.split((path:gsub("^config%.", ""))) or path
  if type(keys) ~= "table" or #keys == 0 then
    argcheck.raise(what .. ": `path` is a text such as \"content.proxy.enabled\", or a list of keys")
  end
  if (change.value == nil) == (not change.remove) then
    argcheck.raise(("%s: %s needs either a value or `remove = true`"):format(what, table.concat(keys, ".")))
  end
  return keys
end

-- Sets or removes (nil) a value. `*` is every member that is there; what stands behind the last one may be new. Returns
-- whether there was one.
local function apply(config, keys, value)
  local last = 0
  for i, key in ipairs(keys) do
    if key == "*" then last = i end
  end
  if last == 0 then
    deep.set(config, keys, deep.copy(value))
    return true
  end
  local met, rest = false, { unpack(keys, last + 1) }
  deep.each(config, { unpack(keys, 1, last) }, function(found, parent, key)
    met = true
    if not rest[1] then
      parent[key] = deep.copy(value)
    elseif type(found) == "table" then
      deep.set(found, rest, deep.copy(value))
    end
  end)
  return met
end

--- The function that makes the changes.
---@param changes { path: string|string[], value: any, remove: boolean? }[]
---@param what string for messages
---@return fun(config: table)
---@return fun(): string? unmet the first path whose `*` stood for nothing in any config so far, and should have
function assign.compile(changes, what)
  if #changes == 0 then argcheck.raise(what .. ": the list of changes is empty") end
  local compiled = {}
  for i, change in ipairs(changes) do
    if type(change) ~= "table" then argcheck.raise(("%s: change %d is not a table"):format(what, i)) end
    for name in pairs(change) do
      if not FIELDS[name] then
        argcheck.raise(("%s: change %d: unknown field %q; %s"):format(what, i, tostring(name),
          argcheck.hint(name, argcheck.names(FIELDS))))
      end
    end
    compiled[i] = { keys = keys_of(change, what), value = change.value, met = change.remove }
  end
  return function(config)
    for _, change in ipairs(compiled) do change.met = apply(config, change.keys, change.value) or change.met end
  end, function()
    for _, change in ipairs(compiled) do
      if not change.met then return table.concat(change.keys, ".") end
    end
  end
end

return assign
