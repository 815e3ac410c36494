--- What saved state belongs to: the project, the integration, the base URL and the conditions of the view that made it.
-- State that is used with another scope is refused in words.

local core = require "ampersand.core"
local deep = require "ampersand.util.deep"

local scope = {}

-- The parts that are compared, in this order, as words.
local PARTS = {
  { "project" }, { "integration" }, { "base_url", "base URL" }, { "where", "conditions" }, { "set", "changes" },
}

local ABSENT = { integration = "the whole project", set = "a function" }

-- Conditions as JSON can hold them: a function is noted, its text cannot be compared.
local function noted(value)
  if type(value) == "function" then return { ["function"] = true } end
  if type(value) ~= "table" then return value end
  local copy = setmetatable({}, getmetatable(value))
  for key, member in pairs(value) do
    copy[type(key) == "table" and table.concat(key, ".") or key] = noted(member)
  end
  return copy
end

--- The scope of a view, as a value that JSON can hold.
---@param view ampersand.Resource
---@return { project: string, integration: string?, base_url: string, where: table }
function scope.of(view)
  local client = view._client
  return {
    project = client:_option "project", integration = not view._in_project and client:_option "integration" or nil,
    base_url = client:_option "base_url", where = core.array(noted(view._where or {})),
  }
end

local function shown(part, value)
  if value == nil then return ABSENT[part] or "none" end
  if type(value) == "string" then return value end
  return core.encode(value, { sort_keys = true })
end

--- The difference of two scopes, in words; nil where they are the same.
---@param what string whose scope it is, such as "the journal"
---@param saved table as it was read
---@param wanted table
---@return string? problem
function scope.difference(what, saved, wanted)
  for _, words in ipairs(PARTS) do
    local part = words[1]
    if not deep.equal(saved[part], wanted[part]) then
      return ("%s is of %s %s, not %s"):format(what, words[2] or part, shown(part, saved[part]),
        shown(part, wanted[part]))
    end
  end
end

return scope
