--- A journal: one JSON object a line, appended and written before the step it announces is taken.
--
-- A record has reached the kernel before `write` returns: a process that is killed, by SIGKILL too, loses nothing it
-- has written. It reaches the disk with the plan, at the end of a run, and at most once a second between, so that a
-- machine that loses power may lose the last second. Each run ends with a record of type "end"; where that is missing,
-- records may be lost.
--
-- One process at a time writes a journal: the file is locked while it is open (src/lua_append_file.c).
--
-- A process that is killed while it writes leaves half a line. A record that begins a run, or nothing, follows it; a
-- line that cannot be read anywhere else is damage, and given as a record of type "damaged".

local core = require "ampersand.core"
local time = require "ampersand.time"

local journal = {}

---@class ampersand.Journal
local Journal = {}
Journal.__index = Journal

local SYNC_EVERY = 1 -- seconds
local BLOCK = 65536 -- bytes that are read at once
local PATIENCE, STEP = 1, 0.05 -- seconds that another process is given to say who it is

--- The types of the records that begin a run, and of those that record the state of an installation.
local BEGINS = { edit = true, resume = true, undo = true }
local OUTCOMES = { send = true, done = true, skip = true, fail = true, unrecorded = true }
journal.BEGINS, journal.OUTCOMES = BEGINS, OUTCOMES

local function is_place(n)
  return type(n) == "number" and n >= 1 and n % 1 == 0
end

local function is_record(record)
  if type(record) ~= "table" or type(record.type) ~= "string" then return false end
  if record.type == "plan" then
    return is_place(record.n) and type(record.id) == "string" and type(record.changes) == "table"
  end
  if record.type == "planned" then return type(record.changed) == "number" and type(record.listed) == "number" end
  return not OUTCOMES[record.type] or is_place(record.n)
end

-- `file:lines` of Lua 5.1 joins lines that hold zero bytes, as blocks that never reached the disk do.
local function lines_of(file)
  local text, from = "", 1
  return function()
    local at = text:find("\n", from, true)
    while not at do
      local more = file:read(BLOCK)
      if not more then break end
      text, from = text:sub(from) .. more, 1
      at = text:find("\n", from, true)
    end
    local line = text:sub(from, at and at - 1)
    from = (at or #text) + 1
    if at or line ~= "" then return line end
  end
end

-- Gives each line as a record, or as one of type "damaged".
local function read_lines(file)
  local number, next_line = 0, lines_of(file)
  return function()
    local line = next_line()
    if not line then return nil end
    number = number + 1
    local record = core.decode(line)
    return is_record(record) and record or { type = "damaged", line = number }
  end
end

-- Leaves out lines that a killed process has not finished.
local function without_halves(next_record)
  local waiting, first = {}, 1
  return function()
    while true do
      local record = waiting[first]
      if record then
        waiting[first], first = nil, first + 1
        return record
      end
      waiting, first = {}, 1
      repeat
        record = next_record()
        waiting[#waiting + 1] = record
      until not record or record.type ~= "damaged"
      if not record then return nil end
      if BEGINS[record.type] then waiting = { record } end
    end
  end
end

--- A reader of the records of a journal, in order.
---@param name string path of the file
---@return (fun(): table?)|nil next a record, nil at the end
---@return string? message
function journal.reader(name)
  local file, why = io.open(name, "rb")
  if not file then return nil, why end
  local next_record = without_halves(read_lines(file))
  return function()
    local record = file and next_record()
    if not record and file then
      file:close()
      file = nil
    end
    return record
  end
end

--- A journal that is held in memory, for edits that shall not be resumed.
---@return ampersand.Journal
function journal.memory()
  return setmetatable({ records = {} }, Journal)
end

--- A journal that is only read.
---@param name string
---@return ampersand.Journal
function journal.reading(name)
  return setmetatable({ name = name }, Journal)
end

-- The process that writes a journal stands in the record that began its run.
local function writer_of(name)
  local pid
  for record in journal.reader(name) or function() end do
    if BEGINS[record.type] then pid = record.pid end
    if record.type == "end" then pid = nil end
  end
  return pid
end

local function in_use(name, sleep)
  local waited, pid = 0, writer_of(name)
  while not pid and waited < PATIENCE do
    sleep(STEP)
    waited, pid = waited + STEP, writer_of(name)
  end
  return ("%s is in use by %s"):format(name, pid and ("process %d"):format(pid) or "another process")
end

--- Opens a journal for appending, and locks it. Nothing is written yet.
---@param name string
---@param sleep fun(seconds: number)
---@return ampersand.Journal? journal, string? message
function journal.open(name, sleep)
  local file, why, locked = core.append_file(name)
  if locked then return nil, in_use(name, sleep) end
  if not file then return nil, ("%s: %s"):format(name, why) end
  return setmetatable({ file = file, name = name, synced = core.now() }, Journal)
end

-- A coroutine of Lua 5.1 cannot wait for anything inside of pcall.
local has_yielding_pcall = _VERSION ~= "Lua 5.1" or rawget(_G, "jit") ~= nil

--- Calls `f(...)`. What it raises closes the journal first, so that another run may open it.
---@param f function
---@return any ...
function Journal:guard(f, ...)
  if not has_yielding_pcall and coroutine.running() then return f(...) end
  local function finish(ok, ...)
    if ok then return ... end
    self:close()
    error((...), 0)
  end
  return finish(pcall(f, ...))
end

--- Whether nothing was ever written.
function Journal:is_empty()
  return self.file == nil or self.file:size() == 0
end

-- Whether the last line has its line feed.
local function ends_whole(name)
  local file = io.open(name, "rb")
  local size = file and file:seek "end"
  local last = size and size > 0 and file:seek("set", size - 1) and file:read(1)
  if file then file:close() end
  return not last or last == "\n"
end

local function put(self, text)
  local ok, why = self.file:write(text)
  if ok and core.now() - self.synced >= SYNC_EVERY then return self:sync() end
  return ok, why
end

--- Appends a record.
---@param record table with `type`
---@return boolean? ok, string? message
function Journal:write(record)
  if self.records then
    self.records[#self.records + 1] = record
    return true
  end
  local text, why = core.encode(record, { sort_keys = true })
  if not text then return nil, why end
  return put(self, text .. "\n")
end

--- Begins a run: appends its first record, on a line of its own.
---@param record table of type "edit", "resume" or "undo"
---@return boolean? ok, string? message
function Journal:begin(record)
  record.time, record.pid = time.format(core.time()), core.process_id()
  if self.file and not ends_whole(self.name) then
    local ok, why = put(self, "\n")
    if not ok then return nil, why end
  end
  local ok, why = self:write(record)
  if ok and self.file and self:is_empty() then return nil, self.name .. " keeps nothing: it is no regular file" end
  return ok, why
end

--- Waits until all that was written has reached the disk.
---@return boolean? ok, string? message
function Journal:sync()
  if not self.file then return true end
  local ok, why = self.file:sync()
  self.synced = core.now()
  return ok, why
end

--- A reader of this journal's records, like `journal.reader`.
---@return (fun(): table?)|nil next, string? message
function Journal:reader()
  if not self.records then return journal.reader(self.name) end
  local i = 0
  return function()
    i = i + 1
    return self.records[i]
  end
end

--- Closes the file and unlocks it. Closing twice is harmless.
function Journal:close()
  if self.file then self.file:close() end
  self.file = nil
end

return journal
