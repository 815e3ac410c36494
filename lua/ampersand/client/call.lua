--- The two tables that carry a call: the call is what is asked and never changes, the attempt is what happens.

local core = require "ampersand.core"
local request = require "ampersand.client.request"
local retry = require "ampersand.client.retry"

local call = {}

-- What holds a secret stands behind a function: programs print tables.

---@class ampersand.Call
---@field client ampersand.Client
---@field config table        the client's settings
---@field op table            operation
---@field path table          wire name -> id
---@field query table         wire name -> value
---@field body any            what becomes the JSON body
---@field raw boolean?        the body is sent as it is
---@field options table       timeout, read_timeout, connect_timeout, retry, headers, nulls, limits …
---@field filter table        `plan` for the decoder, `keep` for Lua functions

---@class ampersand.Attempt
---@field call ampersand.Call
---@field query table         the call's, with the token of the page that is read
---@field stream boolean?     whether the body is read while it arrives
---@field deadline number?    on core.now()'s clock
---@field tries integer       how often the request was sent
---@field sent boolean?       whether the server may have seen one of them
---@field bearer function?    returns the token it was sent with
---@field refused function?   returns a token that the server refused, until it is replaced
---@field renewed boolean?    whether one has been replaced
---@field begun table?        the next request, sent ahead
---@field waited number?      seconds that this try waited because of requests_per_second, or of a server's 429
---@field paused integer?     the pause that the last answer asked for, see client/limiter
---@field base string?        the beginning of the URL, once that is known
---@field info table          of the last answer: status, headers, request_id, attempts
---@field bytes integer       of the body so far
---@field envelope table?     what stands around the elements of a page
---@field seen table?         tokens of the pages so far

local NO_FILTER = {}
call.NOTHING = {} -- the query, or the options, of calls that give none

--- Makes a call; nothing is sent yet. `raw` and `filter` are for the caller to set.
---@param what string for messages, such as "installations:get"
---@param missing string? a default that is not configured, in words
---@return ampersand.Call?, ampersand.Error?
function call.new(what, client, op, path, query, body, options, missing)
  local config = client._config
  if config.closed then client:_check_open(what) end
  local c = {
    client = client, config = config, op = op, path = path, query = query, body = body, options = options,
    filter = NO_FILTER,
  }
  if missing then return nil, call.error(call.attempt(c), "config", missing) end
  return c
end

--- Whether a call may reach the server twice without harm.
function call.is_idempotent(c)
  return retry.idempotent(c.op, c.query)
end

--- The value of an option: the call's own, else the client's.
function call.option(c, name)
  local value = c.options[name]
  if value == nil then return c.config[name] end
  return value
end

--- Begins a call.
---@param stream boolean? whether the body is read while it arrives
function call.attempt(c, stream)
  local attempt = { call = c, query = c.query, stream = stream, tries = 0, base = nil, info = nil, bytes = nil,
    deadline = nil }
  call.start_clock(attempt)
  return attempt
end

--- Starts the total deadline anew.
function call.start_clock(attempt)
  local c = attempt.call
  local timeout = c.options.timeout or c.config.timeout
  attempt.deadline = timeout < math.huge and core.now() + timeout or nil
end

--- Seconds until the deadline; nil: there is none.
function call.remaining(attempt)
  return attempt.deadline and attempt.deadline - core.now()
end

--- The URL for messages: the template and the names of query parameters.
function call.shown_url(attempt)
  local op, base = attempt.call.op, attempt.base
  local template = op.shown_path or op.path
  return base and base .. template .. request.shown_query(attempt.query) or template
end

--- An error that knows the call.
---@param fields table? further fields
function call.error(attempt, kind, message, fields)
  local op = attempt.call.op
  fields = fields or {}
  attempt.sent = attempt.sent or fields.sent -- what an earlier try may have brought to the server counts
  fields.kind, fields.message, fields.sent = kind, message, attempt.sent
  fields.method, fields.operation, fields.attempts = op.method, op.id, attempt.tries
  fields.url = call.shown_url(attempt)
  return attempt.call.client:_error(fields, attempt.bearer and attempt.bearer())
end

return call
