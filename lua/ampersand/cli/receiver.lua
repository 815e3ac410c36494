--- The server of `ampersand webhook listen`: verifies, prints and forwards what it receives.

local core = require "ampersand.core"
local exit = require "ampersand.cli.exit"
local printable = require "ampersand.util.terminal_text"
local stdout = require "ampersand.cli.stdout"

local receiver = {}

--- Posts a body as it is. Blocks for at most 30 seconds.
---@param url string
---@param headers table<string, string>
---@param body string
---@return integer? status
---@return string? message why there is no answer
function receiver.post(url, headers, body)
  local transport = require("ampersand.transport.curl").new()
  local res, message = transport:request { method = "POST", url = url, headers = headers, body = body, timeout = 30 }
  if not res then return nil, message end
  res.close(false)
  transport:close()
  return res.status
end

-- The headers of a request that a receiver needs.
local function forwarded_headers(headers)
  local passed = { ["content-type"] = headers["content-type"], ["user-agent"] = headers["user-agent"] }
  for name, value in pairs(headers) do
    if name:find "^svix%-" or name:find "^webhook%-" then passed[name] = value end
  end
  return passed
end

local function table_of(value)
  return type(value) == "table" and value or {}
end

-- What a message is about, for its line.
local function describe(message)
  if type(message) ~= "table" then return "not a JSON object" end
  if type(message.notificationType) == "string" then
    local data = table_of(message.data)
    return ("%s %s"):format(message.notificationType, tostring(data.groupRef or data.destinationName or ""))
  end
  local info, first = table_of(message.resultInfo), table_of(table_of(message.result)[1])
  local kind = message.readType or first.subscribeEventType
  return ("%s%s %s %s, records: %s"):format(tostring(message.action or "message"), kind and "." .. tostring(kind) or "",
    tostring(message.objectName or "?"), tostring(message.groupRef or "?"), tostring(info.numRecords or 0))
end

-- Answers a request: the status, and the words for its line.
local function receive(request, secret, args)
  if request.method ~= "POST" then return 405, "refused: only POST is accepted" end
  local message, info
  if secret then
    local verify = require("ampersand.webhook").verify
    message, info = verify(secret, request.headers, request.body, { tolerance = args.tolerance })
    if not message then return 400, "refused: " .. info.message end
  else
    message = core.decode(request.body)
  end
  local words = ("%s, %s"):format(describe(message), secret and "verified" or "not verified")
  if not args.forward_to then return 204, words end
  local status, problem = receiver.post(args.forward_to, forwarded_headers(request.headers), request.body)
  if not status then return 502, ("%s, not forwarded: %s"):format(words, problem) end
  return status, words .. ", forwarded"
end

--- Opens the server, which prints a line for each request; what cannot be printed ends it, and is in `raised`.
---@param port integer
---@param secret string?
---@param args table tolerance, forward_to, max
---@return table server
function receiver.open(port, secret, args)
  local server, why
  local count = 0
  local function handle(request)
    local status, words = receive(request, secret, args)
    local id = request.headers["svix-id"] or request.headers["webhook-id"] or "-"
    count = count + 1
    local ok, raised = pcall(function()
      stdout.write(printable(("%s %s %s -> %d"):format(os.date "%H:%M:%S", id, words, status)) .. "\n")
      stdout.flush()
    end)
    server.raised = not ok and raised or nil
    server.stopped = not ok or args.max and count >= args.max
    return { status = status, headers = {}, body = "" }
  end
  server, why = require("ampersand.mock.server").listen { host = "127.0.0.1", port = port, handle = handle }
  return server or exit.with(exit.FAILURE, why)
end

return receiver
