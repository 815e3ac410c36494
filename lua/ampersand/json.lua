--- JSON, strict (RFC 8259) and exact, for whole texts and for streams.

local core = require "ampersand.core"
local query = require "ampersand.client.query"

local json = {}

--- JSON null, equal to cjson.null.
json.null = core.null

--- Marks a table as a JSON array, so that `{}` is written as `[]`; decoded arrays carry the mark.
---@type fun(t: table?): table
json.array = core.array

-- What an option may be: anything that its own reader takes, a limit, or one of two words.
local OPTIONS = {
  where = true, select = true, path = true, mask = true,
  nulls = { "keep", "drop" }, big_integers = { "number", "string" }, expect = { "array", "any" },
  max_depth = "limit", max_bytes = "limit", max_element_bytes = "limit", max_values = "limit",
  max_element_values = "limit",
}

local function check_option(name, value, level)
  local wanted = OPTIONS[name]
  if not wanted then error("unknown option " .. tostring(name), level + 1) end
  if wanted == "limit" and not (type(value) == "number" and value >= 0) then
    error(("option %s: expected a number of 0 or more, got %s"):format(name, type(value)), level + 1)
  end
  if type(wanted) == "table" and value ~= wanted[1] and value ~= wanted[2] then
    error(("option %s: expected %q or %q"):format(name, wanted[1], wanted[2]), level + 1)
  end
end

--- The core's options, with `where` and `select` compiled; and what the core cannot check.
local function compile(options, level)
  if options == nil then return nil end
  if type(options) ~= "table" then
    error("expected a table of options, got " .. type(options), level + 1)
  end
  local core_options = {}
  for name, value in pairs(options) do
    check_option(name, value, level + 1)
    core_options[name] = value
  end
  local where = options.where ~= nil and { options.where } or nil
  core_options.where, core_options.select = nil, nil
  if not where and options.select == nil then return core_options end
  local compiled = query.compile(where, options.select)
  core_options.plan = compiled.plan
  return core_options, compiled.keep
end

-- What the Lua functions keep of the elements of an array.
local function keep_each(list, keep)
  local kept = core.array {}
  for _, element in ipairs(list) do kept[#kept + 1] = keep(element) end
  return kept
end

--- Decodes one text. Objects become tables, arrays tables with `core.array_mt`, null `json.null`.
---@param text string
---@param options table? where, select, path, nulls, expect, big_integers, mask and limits
---@return any value nil on failure
---@return string? message with line, column and byte
---@return "decode"|"limit"|nil kind
---@return { line: integer, column: integer, offset: integer, expected: string? }? detail
function json.decode(text, options)
  if type(text) ~= "string" then error("json.decode: expected a string, got " .. type(text), 2) end
  local core_options, keep = compile(options, 2)
  if not keep then return core.decode(text, core_options) end
  local value, message, kind, detail = core.decode(text, core_options)
  if value == nil then return nil, message, kind, detail end
  if getmetatable(value) == core.array_mt then return keep_each(value, keep) end
  return keep(value)
end

local ENCODE_OPTIONS = { sort_keys = true, max_depth = true }

--- Encodes a value. `{}` is an object, `json.array {}` an array; the text is the shortest that reads back equal.
---@param value any
---@param options table? sort_keys, max_depth
---@return string? text nil on failure
---@return string? message what cannot be encoded, and where it is
function json.encode(value, options)
  if options ~= nil and type(options) ~= "table" then
    error("json.encode: expected a table of options, got " .. type(options), 2)
  end
  for name in pairs(options or {}) do
    if not ENCODE_OPTIONS[name] then error("unknown option " .. tostring(name), 2) end
  end
  return core.encode(value, options)
end

-- A decoder whose elements must also meet a Lua function.
local Filtered = {}
Filtered.__index = Filtered

function Filtered:next()
  while true do
    local status, value, kind, detail = self.decoder:next()
    if status ~= "value" then return status, value, kind, detail end
    value = self.keep(value)
    if value ~= nil then return status, value end
  end
end

function Filtered:collect(list, max)
  local count = 0
  while count < (max or math.huge) do
    local status, value, kind, detail = self:next()
    if status == nil then return nil, value, kind, detail end
    if status ~= "value" then return status, count end
    count = count + 1
    list[#list + 1] = value
  end
  return "full", count
end

function Filtered:count()
  local count = 0
  while true do
    local status, value, kind, detail = self:next()
    if status == nil then return nil, value, kind, detail end
    if status ~= "value" then return status, count end
    count = count + 1
  end
end

function Filtered:finish()
  self.decoder:finish()
  return self
end

function Filtered:feed(chunk) return self.decoder:feed(chunk) end
function Filtered:read(file, size) return self.decoder:read(file, size) end
function Filtered:drain(source) return self.decoder:drain(source) end
function Filtered:envelope() return self.decoder:envelope() end
function Filtered:again()
  self.decoder:again()
  return self
end
function Filtered:close() return self.decoder:close() end
Filtered.__close = Filtered.close

local function new_decoder(options, level)
  local core_options, keep = compile(options, level + 2)
  local decoder = core.decoder(core_options)
  if not keep then return decoder end
  return setmetatable({ decoder = decoder, keep = keep }, Filtered)
end

--- A decoder for text that arrives in chunks: `feed`, `finish`, then `next` until it says "more" or "end". `again`
-- makes it ready for another text.
---@param options table? as for `decode`; an array is expected unless `expect = "any"`
---@return userdata|table decoder with feed, read, finish, next, collect, count, envelope, again, close
function json.decoder(options)
  return (new_decoder(options, 1)) -- no tail call: errors count the levels up to the caller
end

local CHUNK = 16384

--- A function that gives the decoder more input, or says that there is none.
local function feeder(decoder, source, level)
  if type(source) == "string" then
    local from = 1
    return function()
      if from > #source then return decoder:finish() end
      decoder:feed(source:sub(from, from + CHUNK - 1))
      from = from + CHUNK
    end
  end
  if io and io.type(source) == "file" then
    return function()
      local size, problem = decoder:read(source, CHUNK)
      if problem then error(problem, 0) end
      if size == 0 then decoder:finish() end
    end
  end
  local read = source
  if type(source) == "table" or type(source) == "userdata" then
    read = function() return source:read(CHUNK) end
  elseif type(source) ~= "function" then
    error("expected a string, a file or a function, got " .. type(source), level + 1)
  end
  return function()
    local chunk, problem = read()
    if problem then error(problem, 0) end
    if chunk then decoder:feed(chunk) else decoder:finish() end
  end
end

--- Iterates over the elements of an array while its text is read; one element is held at a time.
---@param source string|file*|fun():string? the text, a file, or a function that gives chunks and then nil
---@param options table? as for `decoder`
---@return fun():any iterator raises a readable string when the text is malformed or cannot be read
function json.each(source, options)
  local decoder = new_decoder(options, 1)
  local feed, advance = feeder(decoder, source, 2), decoder.next
  local function iterator()
    while true do
      local status, value = advance(decoder)
      if status == "value" then return value end
      if status == "end" then return nil end
      if status == nil then error(value, 0) end
      feed()
    end
  end
  return iterator, nil, nil, decoder
end

return json
