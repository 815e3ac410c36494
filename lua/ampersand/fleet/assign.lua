--- Changes of a config as data, which a journal can hold and compare: what `edit` takes in place of a function.
--
--     { { path = "content.read.objects.*.schedule", value = "0 * * * *" },
--       { path = "content.write.objects.lead", remove = true } }

local argcheck = require "ampersand.util.argcheck"
local deep = require "ampersand.util.deep"

local unpack = table.unpack or unpack -- luacheck: ignore

local assign = {}

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

local function put(config, keys, value)
  if value ~= nil then return deep.set(config, keys, deep.copy(value)) end
  local parent = deep.get(config, { unpack(keys, 1, #keys - 1) })
  if type(parent) == "table" then parent[keys[#keys]] = nil end
end

-- `*` is every member that is there; what stands behind the last one may be new. Returns whether there was one.
local function apply(config, keys, value)
  local head, tail = {}, {}
  for _, key in ipairs(keys) do
    tail[#tail + 1] = key
    if key == "*" then
      for _, passed in ipairs(tail) do head[#head + 1] = passed end
      tail = {}
    end
  end
  if #head == 0 then
    put(config, keys, value)
    return true
  end
  local met = false
  deep.each(config, head, function(found, parent, key)
    met = true
    if #tail == 0 then
      parent[key] = deep.copy(value)
    elseif type(found) == "table" then
      put(found, tail, value)
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
      if name ~= "path" and name ~= "value" and name ~= "remove" then
        argcheck.raise(("%s: change %d: unknown field %q; %s"):format(what, i, tostring(name),
          argcheck.hint(name, { "path", "value", "remove" })))
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
