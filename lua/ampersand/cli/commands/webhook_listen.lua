--- `ampersand webhook listen`: a receiver on this machine that verifies, prints and forwards.

local core = require "ampersand.core"
local exit = require "ampersand.cli.exit"
local printable = require "ampersand.util.terminal_text"
local stdout = require "ampersand.cli.stdout"
local url = require "ampersand.util.url"
local webhooks = require "ampersand.cli.webhooks"

local listen = {
  name = "listen",
  summary = "Receive webhooks on this machine: verify, print and forward them.",
  usage = "",
  options = {
    { "--port", "Port on 127.0.0.1 (0: a free one).", number = "port" },
    { "--forward-to", "URL to which each message is forwarded.", "<url>" },
    "secret", "tolerance",
    { "--max", "End after this many requests.", number = "count" },
  },
  epilog = [[
With a secret, a message that is not signed with it is answered 400 and not
forwarded; without one nothing is verified. Forwarded messages keep their bytes
and signature headers; the receiver's status is passed back (502: no answer).

Example:
  ampersand webhook listen --port 9000 --forward-to http://127.0.0.1:3000/hooks]],
}

local PASSED_ON = { "content-type", "user-agent" }

-- The headers of a request that a receiver needs.
local function forwarded_headers(headers)
  local passed = {}
  for _, name in ipairs(PASSED_ON) do passed[name] = headers[name] end
  for name, value in pairs(headers) do
    if name:find "^svix%-" or name:find "^webhook%-" then passed[name] = value end
  end
  return passed
end

-- What a message is about, for its line.
local function describe(message)
  if type(message) ~= "table" then return "not a JSON object" end
  if type(message.notificationType) == "string" then
    local data = type(message.data) == "table" and message.data or {}
    return ("%s %s"):format(message.notificationType, tostring(data.groupRef or data.destinationName or ""))
  end
  local info = type(message.resultInfo) == "table" and message.resultInfo or {}
  local first = type(message.result) == "table" and type(message.result[1]) == "table" and message.result[1] or {}
  local kind = message.readType or first.subscribeEventType
  return ("%s%s %s %s, records: %s"):format(tostring(message.action or "message"), kind and "." .. tostring(kind) or "",
    tostring(message.objectName or "?"), tostring(message.groupRef or "?"), tostring(info.numRecords or 0))
end

local function check(self, request)
  if request.method ~= "POST" then return 405, "only POST is accepted" end
  if not self.secret then return nil, "not verified", (core.decode(request.body)) end
  local message, info = require("ampersand.webhook").verify(self.secret, request.headers, request.body,
    { tolerance = self.tolerance })
  if not message then return 400, info.message end
  return nil, "verified", message
end

-- Answers a request: the status, and the words for its line.
local function receive(self, request)
  local refused, words, message = check(self, request)
  if refused then return refused, "refused: " .. words end
  words = ("%s, %s"):format(describe(message), words)
  if not self.forward_to then return 204, words end
  local status, problem = webhooks.post(self.forward_to, forwarded_headers(request.headers), request.body)
  if not status then return 502, ("%s, not forwarded: %s"):format(words, problem) end
  return status, words .. ", forwarded"
end

-- Prints a line for each request; what cannot be printed ends the server.
local function handle(self, request)
  local status, words = receive(self, request)
  local id = request.headers["svix-id"] or request.headers["webhook-id"] or "-"
  self.count = self.count + 1
  local ok, raised = pcall(function()
    stdout.write(printable(("%s %s %s -> %d"):format(os.date "%H:%M:%S", id, words, status)) .. "\n")
    stdout.flush()
  end)
  if not ok then self.server.stopped, self.raised = true, raised end
  if self.max and self.count >= self.max then self.server.stopped = true end
  return { status = status, headers = {}, body = "" }
end

function listen.run(ctx)
  local args = ctx.args
  if args.forward_to and not url.parse(args.forward_to) then
    exit.usage(("--forward-to: %s is not an http(s) URL"):format(args.forward_to))
  end
  if not pcall(require, "socket") then
    exit.with(exit.FAILURE, "luasocket is missing; install it (Debian: lua-socket, LuaRocks: luasocket)")
  end
  local self = {
    secret = webhooks.secret(args), forward_to = args.forward_to, tolerance = args.tolerance, max = args.max, count = 0,
  }
  if self.secret then
    local _, err = exit.guard(require("ampersand.webhook").sign, self.secret, "")
    if err then exit.with(exit.AUTH, err.message) end
  end
  local server, why = require("ampersand.mock.server").listen {
    host = "127.0.0.1", port = args.port or 0, handle = function(request) return handle(self, request) end,
  }
  if not server then exit.with(exit.FAILURE, why) end
  self.server = server
  ctx:note(("listening http://127.0.0.1:%d/%s"):format(server.port, self.secret and "" or " (no secret: not verified)"))
  server:run()
  server:close()
  if self.raised then error(self.raised, 0) end
end

return listen
