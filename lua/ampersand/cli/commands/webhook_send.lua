--- `ampersand webhook send`.

local core = require "ampersand.core"
local events = require "ampersand.cli.commands.webhook_events"
local exit = require "ampersand.cli.exit"
local input = require "ampersand.cli.input"
local stdout = require "ampersand.cli.stdout"
local url = require "ampersand.util.url"
local webhooks = require "ampersand.cli.webhooks"

local send = {
  name = "send",
  summary = "Send a signed message to a receiver, as the vendor would.",
  usage = "<url> ",
  arguments = { { name = "url", description = "Where the receiver listens." } },
  options = {
    { "--event", "A name that `webhook events` lists, or a file with the body (read.scheduled).", "<event>" },
    { "--id", "The id of the message (a new one).", "<id>" },
    "secret",
  },
  epilog = [[
Exit code 0 when the receiver answers 2xx, else 1.

Examples:
  ampersand webhook send http://127.0.0.1:9000/hooks --event connection.error
  ampersand webhook send http://127.0.0.1:9000/hooks --event event.json]],
}

-- The bytes to send: a ready message, or a file as it is.
local function body_of(event)
  if event:find "[/.]json$" or event:find("/", 1, true) or event == "-" then return input.file(event, "--event") end
  local file = io.open(event, "rb")
  if not file then return events.json(event, " and no file of this name") end
  local text = file:read "*a"
  file:close()
  return text or exit.usage(("--event: cannot read %s"):format(event))
end

function send.run(ctx)
  local args = ctx.args
  local parts = url.parse(args.url)
  if not parts or (parts.scheme ~= "http" and parts.scheme ~= "https") then
    exit.usage(("%s is not an http(s) URL"):format(args.url))
  end
  local body = body_of(args.event or "read.scheduled")
  local secret, sign = webhooks.require_secret(args), require("ampersand.webhook").sign
  local headers, err = exit.guard(sign, secret, body, { id = args.id })
  if not headers then exit.with(exit.AUTH, err.message) end
  local id, began = headers["svix-id"], core.now()
  headers["Content-Type"], headers["User-Agent"] = "application/json", "ampersand-webhook-send"
  local status, message = webhooks.post(args.url, headers, body)
  if not status then exit.with(exit.FAILURE, message) end
  stdout.write(("%s: the receiver answered %d after %.0f ms\n"):format(id, status, (core.now() - began) * 1000))
  if status < 200 or status > 299 then return exit.FAILURE end
end

return send
