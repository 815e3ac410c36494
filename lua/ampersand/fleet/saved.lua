--- Journals of earlier runs: whether a file is one, and whether it belongs to what is asked now.

local history = require "ampersand.fleet.history"
local scope = require "ampersand.fleet.scope"

local saved = {}

-- Journals of version 1 know only the project and the integration.
local FORMATS = { ["edit/1"] = true, ["edit/2"] = true }

-- An edit that was not planned to its end has sent nothing: another one may take its place.
local function narrowed(known, wanted)
  local header = known.header
  if header.ampersand == "edit/1" then return { project = wanted.project, integration = wanted.integration } end
  if known.planned then return wanted end
  local free = { where = header.where, set = header.set }
  for _, part in ipairs { "project", "integration", "base_url" } do free[part] = wanted[part] end
  return free
end

local function problem_of(name, known, wanted)
  local header = known.header
  if header and not FORMATS[header.ampersand] or not header and known.plans == 0 then
    return name .. " is not a journal of an edit; it is left alone"
  end
  if not header then return nil end -- damaged: every installation is compared before anything is sent
  return scope.difference("the journal", header, narrowed(known, wanted))
end

--- Reads the journal of an earlier run.
---@param book ampersand.Journal
---@param wanted fun(header: table): table the scope it must have, given the one it has
---@return table? known as `history.read` gives it
---@return string? problem
function saved.read(book, wanted)
  local reader, why = book:reader()
  if not reader then return nil, "the journal cannot be read: " .. tostring(why) end
  local known = history.read(reader)
  local problem = problem_of(book.name, known, wanted(known.header or {}))
  if problem then return nil, problem end
  return known
end

return saved
