--- What a journal says: whether it belongs to what is asked now, its plan, the last record of each installation, and
-- whether records may be missing.

local journal = require "ampersand.fleet.journal"
local scope = require "ampersand.fleet.scope"

local history = {}

---@class ampersand.fleet.History
---@field header table?   the record that began the edit
---@field first integer   its place among the records
---@field plans integer   how many installations of the plan can be read
---@field planned table?  the record that ended the plan, { listed, changed }
---@field edit table<integer, table>  the last record of each installation, by its number in the plan
---@field undo table<integer, table>  the same for the undo
---@field undoing true?   an undo has begun
---@field canary boolean? its outcome
---@field damaged integer[] numbers of the lines that cannot be read
---@field lost boolean?   written records may be missing

local function new_known()
  return { edit = {}, undo = {}, damaged = {}, plans = 0, last = 0, first = 1 }
end

-- What a record of each type adds to what is known; `place` is its place among the records.
local take = {}

function take.damaged(known, record)
  known.damaged[#known.damaged + 1] = record.line
end

function take.plan(known, record, place)
  if known.planned or record.n > place then return end
  known.plans, known.last = known.plans + 1, math.max(known.last, record.n)
end

function take.planned(known, record)
  -- no more can be missing than lines that cannot be read
  record.changed = math.max(known.last, math.min(record.changed, known.last + #known.damaged))
  known.planned, known.running = known.planned or record, true
end

take["end"] = function(known, record)
  known.running = false
  if record.whole then known.lost = false end
end

function take.canary(known, record)
  known.canary = record.ok
end

-- Where requests were announced, the plan was whole.
local function take_outcome(known, record)
  known.planned = known.planned or { listed = known.last, changed = known.last }
  if record.n <= known.planned.changed then known[record.undo and "undo" or "edit"][record.n] = record end
end

local function take_begin(known, record, place)
  -- an edit whose plan was not finished is planned anew, further down
  if record.type == "edit" and not known.planned then
    for name, value in pairs(new_known()) do known[name] = value end
    known.header, known.first = record, place
  end
  if known.running then known.lost = true end
  if record.type == "undo" then known.undoing = true end
  known.running = known.planned ~= nil
end

for kind in pairs(journal.OUTCOMES) do take[kind] = take_outcome end
for kind in pairs(journal.BEGINS) do take[kind] = take_begin end

-- An edit that was not planned to its end has sent nothing: another one may take its place. Journals of version 1 know
-- only the project and the integration.
local function comparable(known, wanted)
  local header = known.header
  if header.ampersand == "edit/1" then return { project = wanted.project, integration = wanted.integration } end
  if known.planned then return wanted end
  return {
    project = wanted.project, integration = wanted.integration, base_url = wanted.base_url,
    where = header.where, set = header.set,
  }
end

local FORMATS = { ["edit/1"] = true, ["edit/2"] = true }

local function problem_of(name, known, wanted)
  local header = known.header
  if header and not FORMATS[header.ampersand] or not header and known.plans == 0 then
    return name .. " is not a journal of an edit; it is left alone"
  end
  if not header then return nil end -- damaged: every installation is compared before anything is sent
  return scope.difference("the journal", header, comparable(known, wanted(header)))
end

--- Reads a journal.
---@param book ampersand.Journal
---@param wanted fun(header: table): table the scope it must have, given the one it has
---@return ampersand.fleet.History? known
---@return string? problem
function history.read(book, wanted)
  local reader, why = book:reader()
  if not reader then return nil, "the journal cannot be read: " .. tostring(why) end
  local known, place = new_known(), 0
  for record in reader do
    place = place + 1
    if take[record.type] then take[record.type](known, record, place) end
  end
  known.lost = known.lost or known.running or #known.damaged > 0
  why = problem_of(book.name, known, wanted)
  if why then return nil, why end
  return known
end

--- The plan of an edit, entry after entry.
---@param reader fun(): table?
---@param first integer place of the edit's header
---@return fun(): table? next
function history.plan(reader, first)
  for _ = 1, first do reader() end
  local ended
  return function()
    while not ended do
      local record = reader()
      if record and record.type == "plan" then return record end
      ended = not record or record.type == "planned" or journal.OUTCOMES[record.type]
    end
  end
end

return history
