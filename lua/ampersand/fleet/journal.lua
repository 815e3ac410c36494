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

-- Calls `take` with each line. `file:lines` of Lua 5.1 joins lines that hold zero bytes, as blocks that never reached
-- the disk do.
local function each_line(file, take)
  local text = ""
  for block in function() return file:read(BLOCK) end do
    text = text .. block
    local rest = text:match "^.*\n()" or 1
    for line in text:sub(1, rest - 1):gmatch "([^\n]*)\n" do take(line) end
    text = text:sub(rest)
  end
  if text ~= "" then take(text) end
end

-- Calls `take` with each record. A line that cannot be read is known to be damage when another record than one that
-- begins a run follows it: else a killed process has not finished it.
local function each_record(file, take)
  local number, unread = 0, {}
  each_line(file, function(line)
    local record = core.decode(line)
    number = number + 1
    if not is_record(record) then
      unread[#unread + 1] = { type = "damaged", line = number }
      return
    end
    if not BEGINS[record.type] then
      for _, damaged in ipairs(unread) do take(damaged) end
    end
    unread = {}
    take(record)
  end)
end

--- A reader of the records of a journal, in order.
---@param name string path of the file
---@return (fun(): table?)|nil next a record, nil at the end
---@return string? message
function journal.reader(name)
  local file, why = io.open(name, "rb")
  if not file then return nil, why end
  return coroutine.wrap(function()
    each_record(file, coroutine.yield)
    file:close()
  end)
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

local function in_use(name, client)
  local waited, pid = 0, writer_of(name)
  while not pid and waited < PATIENCE do
    client:_sleep(STEP)
    waited, pid = waited + STEP, writer_of(name)
  end
  return ("%s is in use by %s"):format(name, pid and ("process %d"):format(pid) or "another process")
end

--- Opens a journal for appending, and locks it. Nothing is written yet.
---@param name string|false path of the file; false: the journal is held in memory, for an edit that is not resumed
---@param client ampersand.Client that waits
---@return ampersand.Journal? journal, string? message
function journal.open(name, client)
  if not name then return setmetatable({ records = {} }, Journal) end
  local file, why, locked = core.append_file(name)
  if locked then return nil, in_use(name, client) end
  if not file then return nil, ("%s: %s"):format(name, why) end
  return setmetatable({ file = file, name = name, synced = core.now() }, Journal)
end

-- A coroutine of Lua 5.1 cannot wait for anything inside of pcall.
local has_yielding_pcall = _VERSION ~= "Lua 5.1" or rawget(_G, "jit") ~= nil

--- Calls `f(...)`, and closes the journal when it returns or raises, so that another run may open it.
---@param f function
---@return any ...
function Journal:guard(f, ...)
  local function finish(ok, ...)
    self:close()
    if not ok then error((...), 0) end
    return ...
  end
  if not has_yielding_pcall and coroutine.running() then return finish(true, f(...)) end
  return finish(pcall(f, ...))
end

--- Whether nothing was ever written.
function Journal:is_empty()
  if self.records then return #self.records == 0 end
  return self.file:size() == 0
end

-- Whether the last line has no line feed, since its process was killed.
local function ends_in_half(name)
  local file = io.open(name, "rb")
  local last = file and file:seek("end", -1) and file:read(1)
  if file then file:close() end
  return last and last ~= "\n"
end

-- Appends a record behind `before`.
local function append(self, record, before)
  if self.records then
    self.records[#self.records + 1] = record
    return true
  end
  local text, why = core.encode(record, { sort_keys = true })
  if not text then return nil, why end
  local ok
  ok, why = self.file:write(before .. text .. "\n")
  if ok and core.now() - self.synced >= SYNC_EVERY then return self:sync() end
  return ok, why
end

--- Appends a record.
---@param record table with `type`
---@return boolean? ok, string? message
function Journal:write(record)
  return append(self, record, "")
end

--- Begins a run: appends its first record, on a line of its own.
---@param record table of type "edit", "resume" or "undo"
---@return boolean? ok, string? message
function Journal:begin(record)
  record.time, record.pid = time.format(core.time()), core.process_id()
  local ok, why = append(self, record, self.file and ends_in_half(self.name) and "\n" or "")
  if ok and self:is_empty() then return nil, self.name .. " keeps nothing: it is no regular file" end
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
