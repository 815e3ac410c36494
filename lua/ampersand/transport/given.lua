--- Transports of the program: the option `transport` of ampersand.new, a table or a function.

-- The contract of all transports (spec/transport/contract_spec.lua tries each):
--   transport:request(req) -> res | nil, message, kind, sent, final   never raises, may yield; sent: the server may
--     have it; final: another try would fail likewise, whatever the kind
--   transport:sleep(seconds, cancel)                           ends early when the token `cancel` is cancelled
--   transport:close()                                          optional: later requests are "cancelled", false
-- req: method, url, headers, body, timeout (in all), connect_timeout, read_timeout (seconds), resend (a pooled
--   connection that is dead may be replaced), cancel (a token), max_bytes, stream; others are ignored
-- res: status, headers (names in lower case, repeated ones joined by ", "), read(most) -> piece | nil at the end |
--   nil, message, kind (`most` is a hint), close(reusable), after which read answers the kind "cancelled"; optional:
--   body (instead of read), source (for the decoder in C), deadline(seconds).
-- kind: resolve, connect, tls, timeout, closed, protocol, limit, phase, cancelled, config.
-- Of a program's own transports `headers` and `close` are optional, too, and a bare function req -> res will do.

local given = {}

-- What a caller's function answers, as calls expect it.
local function check_answer(res, message, kind, sent)
  if res == nil then return nil, message or "the transport answered nothing", kind or "protocol", sent end
  if type(res) == "table" and type(res.status) == "number"
    and (type(res.body) == "string" or type(res.read) == "function") then
    return res
  end
  return nil, "the transport must answer a table with status, headers, and body or read", "config", true
end

--- A bare function is a transport that needs no sleep: the usual test double.
---@param transport table|function
---@return table
function given.transport(transport)
  if type(transport) == "table" then return transport end
  return { request = function(_, req) return check_answer(transport(req)) end, sleep = function() end }
end

--- The headers of one request: such a transport may add its own.
---@param headers table<string, string>
---@return table<string, string>
function given.copy(headers)
  local copied = {}
  for name, value in pairs(headers) do copied[name] = value end
  return copied
end

--- Fills in the optional parts of an answer.
---@param res table
function given.complete(res)
  res.headers = res.headers or {}
  res.close = res.close or function() end
  if not res.read then
    local body = res.body
    res.read = function()
      local chunk = body
      body = nil
      return chunk
    end
  end
end

return given
