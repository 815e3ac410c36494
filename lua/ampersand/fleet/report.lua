--- What an edit, or an undo, has come to.

local printable = require "ampersand.util.terminal_text"

local SHOWN_PROBLEMS = 5
local MAX_PROBLEMS = 100

---@class ampersand.FleetReport
---@field listed integer      installations listed
---@field changed integer     installations of the plan
---@field done integer        changed by this run
---@field before integer      changed by earlier runs with the same journal
---@field skip integer        left alone: changed by another editor, gone, or holding the new values already
---@field conflicts integer   those of `skip` that another editor has changed
---@field fail integer        refused; the next run tries them again
---@field doubt integer       requested, but no answer came; the next run reads them again
---@field unrecorded integer  they hold the new values, but the journal, whose end is missing, has no record of it
---@field unreadable integer  installations of the plan whose record in the journal cannot be read
---@field damaged integer[]   lines of the journal that cannot be read
---@field problems table[]    `{ id, outcome, why }`, at most 100
---@field type_changes table[] `{ path, before, after, count }`: values of another JSON type than the one they replace
---@field against integer     of a dry run: installations that the edit would refuse, and then send nothing
---@field journal string?     path of the journal
local Report = {}
Report.__index = Report

-- The outcomes that are counted, as words.
local WORDS = {
  { "before", "earlier" }, { "done", "done" }, { "skip", "skipped" }, { "fail", "failed" }, { "doubt", "in doubt" },
  { "unrecorded", "without a record" },
}

local report = {}

--- A report with nothing in it but `fields`.
---@param fields table
---@return ampersand.FleetReport
function report.new(fields)
  for _, word in ipairs(WORDS) do fields[word[1]] = 0 end
  fields.listed, fields.changed, fields.against, fields.conflicts, fields.unreadable = 0, 0, 0, 0, 0
  fields.problems, fields.damaged, fields.type_changes = {}, {}, {}
  return setmetatable(fields, Report)
end

--- The counts of all outcomes.
---@return table<string, integer>
function Report:counts()
  local counts = {}
  for _, word in ipairs(WORDS) do counts[word[1]] = self[word[1]] end
  return counts
end

--- Counts one outcome: "done", "skip" (`conflict`: another editor has changed it), "fail", "doubt", "unrecorded".
---@param entry table of the plan
---@param outcome string
---@param why string?
---@param conflict boolean?
function Report:add(entry, outcome, why, conflict)
  self[outcome] = self[outcome] + 1
  if conflict then self.conflicts = self.conflicts + 1 end
  if outcome ~= "done" and #self.problems < MAX_PROBLEMS then
    self.problems[#self.problems + 1] = { id = entry.id, outcome = outcome, why = why }
  end
end

--- Whether nothing is left to do: every installation of the plan is as asked, or was left alone for a known reason. Of
--- a dry run: whether the run itself would be sent.
---@return boolean
function Report:complete()
  if self.dry_run then return self.against == 0 and self.unreadable == 0 end
  return self.fail == 0 and self.doubt == 0 and self.unrecorded == 0 and self.unreadable == 0
    and self.before + self.done + self.skip >= self.changed
end

--- How far it is: "56 of 496 done".
---@return string
function Report:progress()
  return ("%d of %d done"):format(self.before + self.done, self.changed)
end

local SHORTFALLS = {
  { "against", "nothing would be sent, since installations cannot be changed as asked: %d" },
  { "conflicts", "left alone, changed by another editor: %d" },
  { "unrecorded", "hold the new values without a record in the journal: %d" },
  { "unreadable", "cannot be read in the plan of the journal: %d" },
}

--- Why not every installation is as asked, in words; nil where it is.
---@return string?
function Report:shortfall()
  local parts = {}
  if not self.dry_run and self.before + self.done + self.skip < self.changed then parts[1] = self:progress() end
  for _, words in ipairs(SHORTFALLS) do
    if self[words[1]] > 0 then parts[#parts + 1] = words[2]:format(self[words[1]]) end
  end
  return parts[1] and table.concat(parts, "; ")
end

local function headline(self)
  if self.dry_run then
    local refused = self.against > 0 and (", %d cannot be changed as asked"):format(self.against) or ""
    return ("%d listed, %d would change%s"):format(self.listed, self.changed - self.against, refused)
  end
  local parts = {}
  for _, word in ipairs(WORDS) do
    if self[word[1]] > 0 or word[1] == "done" then parts[#parts + 1] = self[word[1]] .. " " .. word[2] end
  end
  return ("%d listed, %d to change: %s"):format(self.listed, self.changed, table.concat(parts, ", "))
end

--- The changes of types in words, a line each.
---@return string[]
function Report:warnings()
  local lines = {}
  for i, change in ipairs(self.type_changes) do
    lines[i] = printable(("warning: %s: %s replaces %s in %d installations"):format(change.path, change.after,
      change.before, change.count))
  end
  return lines
end

function Report:__tostring()
  local lines = { headline(self) }
  local function add(words, ...) lines[#lines + 1] = "  " .. printable(words:format(...)) end
  for i = 1, math.min(#self.problems, SHOWN_PROBLEMS) do
    local problem = self.problems[i]
    add("%s: %s: %s", problem.id, problem.outcome, problem.why)
  end
  if #self.problems > SHOWN_PROBLEMS then add "…" end
  if #self.damaged > 0 then
    add("%d lines of the journal cannot be read, the first is line %d", #self.damaged, self.damaged[1])
  end
  if self.unreadable > 0 then
    add("%d installations of the plan cannot be read; they are as the edit left them", self.unreadable)
  end
  for _, line in ipairs(self:warnings()) do add("%s", line) end
  return table.concat(lines, "\n")
end

return report
