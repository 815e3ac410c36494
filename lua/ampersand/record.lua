--- Transports that keep traffic in a file and give it back, for tests without a network.
--
--     local client = ampersand.new { transport = ampersand.record "traffic.jsonl" }   -- goes to the API and writes
--     local client = ampersand.new { transport = ampersand.replay "traffic.jsonl" }   -- answers from the file
--
-- One line of JSON is one request and its answer. Keys and tokens are taken out before anything is written: of headers,
-- of bodies that are JSON, of queries and of paths. Other headers of requests than those of the proxy are not kept.

local core = require "ampersand.core"
local argcheck = require "ampersand.util.argcheck"
local given = require "ampersand.transport.given"
local host = require "ampersand.util.host"
local output = require "ampersand.util.output"
local redact = require "ampersand.util.redact"

local record = {}

-- What no longer holds of a body that is kept decoded.
local OF_THE_WIRE = { ["content-encoding"] = true, ["transfer-encoding"] = true, ["content-length"] = true }

-- Texts within, links for instance, hold secrets as well. Answers the value and how many were found.
local function hide_texts(value, secrets)
  if type(value) == "string" then
    local text = redact.text(value, secrets)
    return text, text ~= value and 1 or 0
  end
  local found = 0
  if type(value) == "table" then
    for name, member in pairs(value) do
      local n
      value[name], n = hide_texts(member, secrets)
      found = found + n
    end
  end
  return value, found
end

-- A body as it is kept. JSON that is to be compared is written in one order; that of an answer which holds no secret
-- stays as it came, to the byte.
local function clean_body(body, secrets, compared)
  if type(body) ~= "string" then return nil end
  local value = body:find "^%s*[%[{]" and core.decode(body, { mask = true })
  if type(value) ~= "table" then return redact.text(body, secrets) end
  local _, members = redact.value(value)
  local _, texts = hide_texts(value, secrets)
  if members + texts == 0 and not compared then return body end
  return core.encode(value, { sort_keys = true }) or redact.text(body, secrets)
end

-- Bytes that are not text are written as hexadecimal digits.
local function put(entry, name, bytes)
  if bytes and not core.encode(bytes) then
    entry[name .. "_hex"] = bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end)
  else
    entry[name] = bytes
  end
end

local function take(entry, name)
  local hex = entry[name .. "_hex"]
  return hex and hex:gsub("%x%x", function(digits) return string.char(tonumber(digits, 16)) end) or entry[name]
end

local function keep_headers(headers, secrets, is_kept)
  local kept = {}
  for name, value in pairs(headers or {}) do
    if is_kept(name:lower()) then kept[name:lower()] = redact.text(tostring(value), secrets) end
  end
  return next(kept) and kept or nil
end

local function says_whose_data(name) return name:find "^x%-amp%-" end
local function is_harmless(name) return not redact.is_secret_header(name) and not OF_THE_WIRE[name] end

-- The request as it is kept and compared: the proxy's headers say whose data is asked for.
local function describe(req, secrets)
  local entry = {
    method = req.method, url = redact.text(req.url, secrets),
    headers = keep_headers(req.headers, secrets, says_whose_data),
  }
  put(entry, "body", clean_body(req.body, secrets, true))
  return entry
end

-- The reader of a whole body: it gives the body, then its end.
local function once(body, message, kind)
  return function()
    local chunk = body
    body = nil
    if chunk and chunk ~= "" then return chunk end
    return nil, message, kind
  end
end

-- --- recording -------------------------------------------------------------------------------

local Recorder = {}
Recorder.__index = Recorder

-- A key that came with a request may be echoed anywhere.
local function learn(secrets, headers)
  for name, value in pairs(headers or {}) do
    if redact.is_secret_header(name) then
      local secret = tostring(value):gsub("^%a+%s+", "")
      secrets[secret] = secret
    end
  end
end

local function write(self, request, answer)
  local line, why = core.encode({ request = request, response = answer }, { sort_keys = true })
  local ok = line and self.file
  if ok then
    ok, why = output.write(self.file, line, "\n")
    if ok then ok, why = output.flush(self.file) end
  end
  if ok then return true end
  return nil, ("the recording cannot be written: %s"):format(why or "it is closed"), "config"
end

-- A full disk would go unnoticed in compiled code.
local jit = rawget(_G, "jit")
if jit then jit.off(write) end

-- Passes a body on piece by piece; its line is written when it ends, or when its reader has enough.
local function passing(self, request, answer, res)
  given.complete(res)
  local parts, written = {}, false
  local function done(message, kind)
    if written then return true end
    written = true
    if kind then answer.broken = { message = redact.text(message, self.secrets), kind = kind } end
    put(answer, "body", clean_body(table.concat(parts), self.secrets))
    return write(self, request, answer)
  end
  return {
    status = res.status, headers = res.headers, deadline = res.deadline,
    read = function()
      local chunk, message, kind = res.read()
      if chunk then
        parts[#parts + 1] = chunk
        return chunk
      end
      local ok, why, what = done(message, kind)
      if not ok then return nil, why, what end
      return nil, message, kind
    end,
    close = function(reusable)
      if not reusable then done("the recording ends here: its reader had enough", "closed") else done() end
      return res.close(reusable)
    end,
  }
end

-- What is not a stream is read at once, so that its line is written before the caller goes on.
local function read_now(res)
  local parts = {}
  while true do
    local chunk, message, kind = res.read()
    if not chunk then
      res.close(not kind)
      return { status = res.status, headers = res.headers, read = once(table.concat(parts), message, kind) }
    end
    parts[#parts + 1] = chunk
  end
end

--- Sends a request and keeps it; see the transports' contract.
function Recorder:request(req)
  learn(self.secrets, req.headers)
  local request = describe(req, self.secrets)
  local res, message, kind, sent = self.inner:request(req)
  if not res then
    local ok, why, what = write(self, request, {
      fault = redact.text(tostring(message), self.secrets), kind = kind, sent = sent ~= false,
    })
    if not ok then return nil, why, what, sent end
    return nil, message, kind, sent
  end
  local answer = { status = res.status, headers = keep_headers(res.headers, self.secrets, is_harmless) }
  local passed = passing(self, request, answer, res)
  return req.stream and passed or read_now(passed)
end

function Recorder:sleep(seconds, token)
  return self.inner:sleep(seconds, token)
end

function Recorder:close()
  if self.file then self.file:close() end
  self.file = nil
  if self.inner.close then self.inner:close() end
end

local function check_name(name, what)
  if type(name) ~= "string" then
    argcheck.raise(("ampersand.%s: expected the name of a file, got %s"):format(what, type(name)))
  end
end

--- A transport that passes requests on and writes them, with their answers, into a file. An earlier file of that name
-- is replaced. Raises when the file cannot be opened.
---@param name string
---@param transport table|function|nil what really sends (default: what a client would use)
---@return table transport
function record.record(name, transport)
  check_name(name, "record")
  local file, why = io.open(name, "wb")
  if not file then argcheck.raise("ampersand.record: " .. why) end
  local inner = transport and given.transport(transport) or require("ampersand." .. host.transport()).new()
  local self = setmetatable({ inner = inner, file = file, secrets = {} }, Recorder)
  for _, method in ipairs { "parallel", "poll" } do
    if inner[method] then self[method] = function(_, ...) return inner[method](inner, ...) end end
  end
  return self
end

-- --- replaying -------------------------------------------------------------------------------

local Player = {}
Player.__index = Player

-- Everything that must be equal, as one text.
local function key_of(request)
  return core.encode(request, { sort_keys = true })
end

local function load_lines(name)
  local file, why = io.open(name, "rb")
  if not file then return nil, why end
  local queues, count = {}, 0
  for line in file:lines() do
    count = count + 1
    local entry, problem = core.decode(line)
    if type(entry) ~= "table" or type(entry.request) ~= "table" or type(entry.response) ~= "table" then
      file:close()
      return nil, ("%s:%d: not a recording: %s"):format(name, count, problem or "request and response are missing")
    end
    local key = key_of(entry.request)
    queues[key] = queues[key] or { next = 1 }
    table.insert(queues[key], entry.response)
  end
  file:close()
  return queues, count
end

-- Why there is no answer: never recorded, recorded with another body, or all used.
local function explain(self, request)
  local what = ("%s %s"):format(request.method, request.url)
  local queue = self.queues[key_of(request)]
  if queue then return ("%s has %s %d times, and this is one more"):format(self.name, what, #queue) end
  local others = 0
  for key in pairs(self.queues) do
    local known = core.decode(key)
    if known.method == request.method and known.url == request.url then others = others + 1 end
  end
  if others > 0 then return ("%s has %s, but with another body or for another customer"):format(self.name, what) end
  return ("%s has no %s among its %d requests"):format(self.name, what, self.count)
end

local function play(answer)
  local broken = answer.broken or {}
  return {
    status = answer.status, headers = answer.headers or {},
    read = once(take(answer, "body"), broken.message, broken.kind),
  }
end

--- Answers from the recording; each recorded answer is given once, in the order of recording.
function Player:request(req)
  local secrets = {}
  learn(secrets, req.headers)
  local request = describe(req, secrets)
  local queue = self.queues[key_of(request)]
  local answer = queue and queue[queue.next]
  if not answer then return nil, explain(self, request), "config", false end
  queue.next = queue.next + 1
  if answer.fault then return nil, answer.fault, answer.kind, answer.sent end
  return play(answer)
end

--- Nothing is waited for.
function Player.sleep() end
function Player.poll() end

--- Tasks run one after the other, for nothing takes time here.
function Player:parallel(_, tasks) -- luacheck: no unused
  local values, errors = { n = #tasks }, {}
  for i, task in ipairs(tasks) do
    local ok, value, err = pcall(task)
    if ok then values[i], errors[i] = value, err else errors[i] = value end
  end
  return values, errors
end

--- How many recorded answers were not asked for.
---@return integer
function Player:left()
  local left = 0
  for _, queue in pairs(self.queues) do left = left + #queue - queue.next + 1 end
  return left
end

--- A transport that answers from a file that `record` wrote: a request gets the answer to the same method, URL and body
-- (and customer, of the proxy). One that was not recorded ends with kind "config". Raises when the file cannot be read.
---@param name string
---@return table transport; its method `left()` counts the answers that were not asked for
function record.replay(name)
  check_name(name, "replay")
  local queues, count = load_lines(name)
  if not queues then argcheck.raise("ampersand.replay: " .. count) end
  return setmetatable({ name = name, queues = queues, count = count }, Player)
end

return record
