--- JSON, strict (RFC 8259) and exact, for whole texts and for streams.
--
-- Options of `decode`, `decoder` and `each`:
--
-- `where`: a condition, or a function that is called with each element; see the guide on filters. `ne` matches a
-- present value of the operand's type that differs from it; null, absent values and values of other types never match.
-- `present = true` matches any value, null included; `present = false` matches absent ones. `any` and `all` may be
-- nested 100 deep. A whole text that is not an array is its own only element: `decode` returns nil without a message
-- when it does not match.
--
-- `select`: a list of paths. Of objects on a path only the members on it are kept; `*` stands for every member and
-- every array element, and what is below it is kept from each. Values that are neither object nor array are kept.
--
-- `path`: a list of keys, the way to the array in the text.
--
-- `expect`: `"array"` (default of `decoder` and `each`) refuses a text, or a value at the path, that is not an array;
-- `"any"` (default of `decode`) accepts every value. In a decoder `"any"` gives the value as a whole, arrays as well.
--
-- `lines` (of `decoder` and `each`): true reads values that follow each other, one a line (NDJSON) or concatenated,
-- instead of one array. After a number or a word there must be white space.
--
-- `nulls`: `"keep"` (default: `json.null`) or `"drop"` (members that are null are absent; in arrays they stay).
--
-- `big_integers`: `"number"` (default: the nearest double) or `"string"`, for integers that this Lua does not hold
-- exactly: beyond 64 bits, or beyond 53 bits where every number is a double.
--
-- `mask`: true keeps the text's contents out of error messages.
--
-- Limits, with their defaults (those of `decode`; those of `decoder` and `each`): `max_depth` (1000; 1000) levels of
-- nesting, `max_bytes` (1 GiB; none) in all, `max_values` (10,000,000; none) in all, `max_element_bytes` (none;
-- 16 MiB) and `max_element_values` (none; 1,000,000) of one element and of all that is around the array at the path.
-- No value is larger than 4 GiB.

local core = require "ampersand.core"
local argcheck = require "ampersand.util.argcheck"
local query = require "ampersand.client.query"

local json = {}

--- JSON null, equal to cjson.null.
json.null = core.null

--- Marks a table as a JSON array, so that `{}` is written as `[]`; decoded arrays carry the mark.
---@type fun(t: table?): table
json.array = core.array

local function set(...)
  local names = {}
  for _, name in ipairs { ... } do names[name] = true end
  return names
end

local DECODE_OPTIONS = set("where", "select", "path", "expect", "nulls", "big_integers", "mask", "max_depth",
  "max_bytes", "max_values", "max_element_bytes", "max_element_values")
local DECODER_OPTIONS = set("lines")
for name in pairs(DECODE_OPTIONS) do DECODER_OPTIONS[name] = true end
local ENCODE_OPTIONS = set("sort_keys", "indent", "max_depth")

--- Refuses what is not a table of known options. Their values are checked by the core.
local function check_names(options, known, what)
  if type(options) ~= "table" then argcheck.refuse_table(options, what) end
  for name, value in pairs(options) do
    if not known[name] then
      if options.status and options.headers then
        argcheck.raise(("%s: the options are the `info` that a call returns after its value; "
          .. "put the call in parentheses: %s((call()))"):format(what, what))
      end
      argcheck.refuse(name, value, known, what)
    end
  end
end

--- The core's options, with `where` and `select` compiled; what Lua functions keep of an element.
local function compile(options, known, what)
  if options == nil then return nil end
  check_names(options, known, what)
  if options.where == nil and options.select == nil then return options end
  local core_options = {}
  for name, value in pairs(options) do core_options[name] = value end
  local compiled = query.compile(options.where ~= nil and { options.where } or nil, options.select)
  core_options.where, core_options.select, core_options.plan = nil, nil, compiled.plan
  return core_options, compiled.keep
end

-- What the Lua functions keep of the elements of an array.
local function keep_each(list, keep)
  local kept = core.array {}
  for _, element in ipairs(list) do
    kept[#kept + 1] = keep(element)
  end
  return kept
end

--- Decodes one text. Objects become tables, arrays tables with the mark of `json.array`, null `json.null`.
---@param text string
---@param options table? see above
---@return any value nil on failure, and without a message when a value that is not an array does not meet `where`
---@return string? message with line, column and byte
---@return "decode"|"limit"|nil kind
---@return { line: integer, column: integer, offset: integer, expected: string? }? detail
function json.decode(text, options)
  if type(text) ~= "string" then argcheck.raise("json.decode: expected a string, got " .. type(text)) end
  local core_options, keep = compile(options, DECODE_OPTIONS, "json.decode")
  if not keep then return core.decode(text, core_options) end
  local value, message, kind, detail = core.decode(text, core_options)
  if value == nil then return nil, message, kind, detail end
  if getmetatable(value) == core.array_mt then return keep_each(value, keep) end
  return keep(value)
end

--- Encodes a value. `{}` is an object, `json.array {}` an array. A number is written in the shortest text that reads
-- back equal; whole numbers below 2^63 have all their digits.
---@param value any
---@param options table? `sort_keys` (true: bytewise; default false), `indent` (0 to 16 spaces, or a string of spaces
-- and tabs; default: all in one line), `max_depth` (default 1000)
---@return string? text nil on failure
---@return string? message what cannot be encoded, and where it is
function json.encode(value, options)
  if options ~= nil then check_names(options, ENCODE_OPTIONS, "json.encode") end
  return core.encode(value, options)
end

--- Encodes a value piece by piece: `encoder:next()` returns the next piece, at most 64 KB, and nil at the end; or nil
-- and a message when something cannot be encoded. The pieces make the text of `encode`. Only a piece is held, or the
-- text of one string that is longer. The value must not change meanwhile.
---@param value any
---@param options table? as for `encode`
---@return userdata encoder
function json.encoder(value, options)
  if options ~= nil then check_names(options, ENCODE_OPTIONS, "json.encoder") end
  return core.encoder(value, options)
end

--- Whether `encode` writes a value as an array: a table marked as one, or a sequence that is not empty.
---@param value any
---@return boolean
function json.is_array(value)
  return core.is_array(value)
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
  self.decoder:collect(list, (max == nil or tonumber(max)) and 0 or max) -- checks the arguments
  local count = 0
  max = tonumber(max) or math.huge
  while count < max do
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

local function new_decoder(options, what)
  local core_options, keep = compile(options, DECODER_OPTIONS, what)
  local decoder = core.decoder(core_options)
  if not keep then return decoder end
  return setmetatable({ decoder = decoder, keep = keep }, Filtered)
end

--- A decoder for text that arrives in chunks: `feed`, `finish`, then `next` until it says "more" or "end". `again`
-- makes it ready for another text.
---@param options table? as for `decode`; an array is expected unless `expect = "any"`
---@return userdata|table decoder with feed, read, finish, next, collect, count, envelope, again, close
function json.decoder(options)
  return new_decoder(options, "json.decoder")
end

local CHUNK = 16384

--- A function that gives the decoder more input, or says that there is none.
local function feeder(decoder, source)
  if type(source) == "string" then
    local from = 1
    return function()
      if from > #source then return decoder:finish() end
      decoder:feed(source:sub(from, from + CHUNK - 1))
      from = from + CHUNK
    end
  end
  if io and io.type(source) then
    return function()
      local size, problem = decoder:read(source, CHUNK)
      if problem then error(problem, 0) end
      if size == 0 then decoder:finish() end
    end
  end
  local read = source
  if (type(source) == "table" or type(source) == "userdata") and source.read then
    read = function() return source:read(CHUNK) end
  elseif type(source) ~= "function" then
    argcheck.raise("json.each: expected a string, a file or a function, got " .. type(source))
  end
  return function()
    local chunk, problem = read()
    if problem then error(problem, 0) end
    if chunk then decoder:feed(chunk) else decoder:finish() end
  end
end

--- Iterates over the elements of an array, or with `lines = true` over values that follow each other, while the text
-- is read; one is held at a time.
---@param source string|file*|fun():string? the text, a file, or a function that gives chunks and then nil
---@param options table? as for `decoder`
---@return fun():any iterator raises a readable string when the text is malformed or cannot be read
function json.each(source, options)
  local decoder = new_decoder(options, "json.each")
  local feed, advance = feeder(decoder, source), decoder.next
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
