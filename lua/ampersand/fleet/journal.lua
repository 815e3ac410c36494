--- A journal: one JSON object a line, appended and flushed before the step it announces is taken.
--
-- Flushed means handed to the kernel (`file:flush`): a process that is killed, by SIGKILL too, loses nothing it has
-- written. Plain Lua has no fsync, so a machine that loses power may lose the last seconds of it.
--
-- A process killed in the middle of a write leaves half a line. It is recognised because a record of type "resume", or
-- nothing, follows it; half a line anywhere else is a damaged file and refused. One process at a time writes a journal.

local core = require "ampersand.core"

local journal = {}
local Journal = {}
Journal.__index = Journal

local function decode(line)
  local record = core.decode(line)
  if type(record) == "table" and type(record.type) == "string" then return record end
end

-- Gives line after line, with its number and whether the line feed was there. The file may grow meanwhile.
local function lines_of(file)
  local number = 0
  return function()
    local line = file:read "*l"
    if not line then return nil end
    number = number + 1
    return line, number
  end
end

--- A reader of the records of a journal, in order.
---@param name string path of the file
---@return (fun(): table?, string?)|nil next a record, nil at the end, or nil and a message when the file is damaged
---@return string? message
function journal.reader(name)
  local file, why = io.open(name, "r")
  if not file then return nil, why end
  local next_line = lines_of(file)
  return function()
    if not file then return nil end
    local line, number = next_line()
    if not line then
      file:close()
      file = nil
      return nil
    end
    local record, half = decode(line), false
    while line and not record do
      half, line = true, next_line()
      record = line and decode(line)
    end
    if record and (not half or record.type == "resume") then return record end
    file:close()
    file = nil
    if record then return nil, ("%s: line %d is no record of a journal"):format(name, number) end
  end
end

--- A journal that is held in memory, for edits that shall not be resumed.
---@return ampersand.Journal
function journal.memory()
  return setmetatable({ records = {} }, Journal)
end

--- Opens a journal for appending.
---@param name string
---@param mode "w"|"a" "w" begins anew, "a" goes on after the last whole line
---@return ampersand.Journal? journal, string? message
function journal.open(name, mode)
  local file, why = io.open(name, mode)
  if not file then return nil, why end
  local self = setmetatable({ file = file, name = name }, Journal)
  if mode == "a" then
    -- whatever half a line a killed process left ends here
    local ok
    ok, why = self:put(self:ends_whole() and "" or "\n")
    if not ok then return nil, why end
  end
  return self
end

--- Whether the file ends with a line feed, or is empty.
function Journal:ends_whole()
  local file = io.open(self.name, "r")
  if not file then return true end
  local size = file:seek "end"
  if size == 0 then
    file:close()
    return true
  end
  file:seek("set", size - 1)
  local last = file:read(1)
  file:close()
  return last == "\n"
end

function Journal:put(text)
  local ok, why = self.file:write(text)
  if ok then ok, why = self.file:flush() end
  if not ok then return nil, why or "it cannot be written" end
  return true
end

-- LuaJIT's compiled flush repeats a failed one, and answers what the second says: a full disk would go unnoticed.
local jit = rawget(_G, "jit")
if jit then jit.off(Journal.put) end

--- Appends a record and flushes it.
---@param record table with `type`
---@return boolean? ok, string? message
function Journal:write(record)
  if self.records then
    self.records[#self.records + 1] = record
    return true
  end
  local text, why = core.encode(record, { sort_keys = true })
  if not text then return nil, why end
  return self:put(text .. "\n")
end

--- A reader of this journal's records, like `journal.reader`.
function Journal:reader()
  if not self.records then return journal.reader(self.name) end
  local i = 0
  return function()
    i = i + 1
    return self.records[i]
  end
end

--- Closes the file. Closing twice is harmless.
function Journal:close()
  if self.file then self.file:close() end
  self.file = nil
end

return journal
