--- `ampersand webhook`: verifies messages, sends and receives them for tests.

local argcheck = require "ampersand.util.argcheck"
local core = require "ampersand.core"
local environment = require "ampersand.util.environment"
local events = require "ampersand.cli.events"
local exit = require "ampersand.cli.exit"
local input = require "ampersand.cli.input"
local receiver = require "ampersand.cli.receiver"
local show = require "ampersand.cli.show"
local stdout = require "ampersand.cli.stdout"
local terminal = require "ampersand.cli.terminal"
local url = require "ampersand.util.url"
local wording = require "ampersand.cli.wording"

-- The library's functions: libcrypto is loaded where it is used.
local function webhook(name)
  return require("ampersand.webhook")[name]
end

-- The secret of the options or the environment; nil without any.
local function find_secret(args)
  if args.secret then return terminal.given_secret("Webhook secret", args.secret, "--secret", "--secret -") end
  if args.secret_file then return (input.file(args.secret_file):gsub("%s+$", "")) end
  return (environment.option "webhook_secret")
end

local function require_secret(args)
  return find_secret(args) or exit.with(exit.AUTH,
    "no webhook secret: set AMPERSAND_WEBHOOK_SECRET, use --secret -, or name a file by --secret-file")
end

local SECRET = {
  { "--secret", "`-`: read the secret from standard input, or the terminal without echo.", "-" },
  { "--secret-file", "File with the secret; else AMPERSAND_WEBHOOK_SECRET.", "<file>" },
}
local TOLERANCE = { "--tolerance", "Seconds a message may be old (300).", number = "seconds" }

local verify = {
  name = "verify",
  summary = "Verify a message: print it if the vendor signed it, else exit with 1.",
  usage = "[<file>] ",
  arguments = { { name = "file", description = "The raw body; `-` or nothing: standard input.", args = "?" } },
  options = {
    { "-H --header", "'Name: value' of the request; give the three svix-* ones.", "<header>", several = true },
    SECRET, TOLERANCE, "formats",
  },
  epilog = [[
Example:
  ampersand webhook verify body.json -H "svix-id: $ID" \
    -H "svix-timestamp: $AT" -H "svix-signature: $SIGNATURE"]],
}

function verify.run(ctx)
  local args = ctx.args
  local headers, body = input.headers(args.header), input.file(args.file or "-")
  local message, err = exit.guard(webhook "verify", require_secret(args), headers, body,
    { tolerance = args.tolerance })
  if not message then exit.with(err.kind == "config" and exit.AUTH or exit.FAILURE, wording(err.message)) end
  ctx:note("signed by the vendor; id " .. err.id)
  show.json(ctx, message)
end

-- The JSON of a ready message; ends the command where there is none of this name.
local function ready_message(name, hint)
  local names = {}
  for i, event in ipairs(events) do
    if event[1] == name then return assert(core.encode(event[2], { sort_keys = true })) end
    names[i] = event[1]
  end
  exit.usage(("no event %q%s; %s"):format(name, hint or "", argcheck.hint(name, names)))
end

-- The bytes to send: a ready message, or a file as it is.
local function body_of(event)
  if event:find "[/.]json$" or event:find("/", 1, true) or event == "-" then return input.file(event, "--event") end
  local file = io.open(event, "rb")
  if not file then return ready_message(event, " and no file of this name") end
  file:close()
  return input.file(event, "--event")
end

local send = {
  name = "send",
  summary = "Send a signed message to a receiver, as the vendor would.",
  usage = "<url> ",
  arguments = { { name = "url", description = "Where the receiver listens." } },
  options = {
    { "--event", "A name that `webhook events` lists, or a file with the body (read.scheduled).", "<event>" },
    { "--id", "The id of the message (a new one).", "<id>" },
    SECRET,
  },
  epilog = [[
Exit code 0 when the receiver answers 2xx, else 1.

Examples:
  ampersand webhook send http://127.0.0.1:9000/hooks --event connection.error
  ampersand webhook send http://127.0.0.1:9000/hooks --event event.json]],
}

function send.run(ctx)
  local args = ctx.args
  local parts = url.parse(args.url)
  if not parts or (parts.scheme ~= "http" and parts.scheme ~= "https") then
    exit.usage(("%s is not an http(s) URL"):format(args.url))
  end
  local body = body_of(args.event or "read.scheduled")
  local headers, err = exit.guard(webhook "sign", require_secret(args), body, { id = args.id })
  if not headers then exit.with(exit.AUTH, err.message) end
  local id, began = headers["svix-id"], core.now()
  headers["Content-Type"], headers["User-Agent"] = "application/json", "ampersand-webhook-send"
  local status, message = receiver.post(args.url, headers, body)
  if not status then exit.with(exit.FAILURE, message) end
  stdout.write(("%s: the receiver answered %d after %.0f ms\n"):format(id, status, (core.now() - began) * 1000))
  if status < 200 or status > 299 then return exit.FAILURE end
end

local listen = {
  name = "listen",
  summary = "Receive webhooks on this machine: verify, print and forward them.",
  usage = "",
  options = {
    { "--port", "Port on 127.0.0.1 (0: a free one).", number = "port" },
    { "--forward-to", "URL to which each message is forwarded.", "<url>" },
    SECRET, TOLERANCE,
    { "--max", "End after this many requests.", number = "count" },
  },
  epilog = [[
With a secret, a message that is not signed with it is answered 400 and not
forwarded; without one nothing is verified. Forwarded messages keep their bytes
and signature headers; the receiver's status is passed back (502: no answer).

Example:
  ampersand webhook listen --port 9000 --forward-to http://127.0.0.1:3000/hooks]],
}

function listen.run(ctx)
  local args = ctx.args
  if args.forward_to and not url.parse(args.forward_to) then
    exit.usage(("--forward-to: %s is not an http(s) URL"):format(args.forward_to))
  end
  if not pcall(require, "socket") then
    exit.with(exit.FAILURE, "luasocket is missing; install it (Debian: lua-socket, LuaRocks: luasocket)")
  end
  local secret = find_secret(args)
  if secret then
    local _, err = exit.guard(webhook "sign", secret, "")
    if err then exit.with(exit.AUTH, err.message) end
  end
  local server = receiver.open(args.port or 0, secret, args)
  ctx:note(("listening http://127.0.0.1:%d/%s"):format(server.port, secret and "" or " (no secret: not verified)"))
  server:run()
  server:close()
  if server.raised then error(server.raised, 0) end
end

local list = {
  name = "events",
  summary = "The ready messages of `webhook send`: their names, or one of them as JSON.",
  usage = "[<name>] ",
  arguments = { { name = "name", description = "Print this one.", args = "?" } },
  epilog = "Example:\n  ampersand webhook events connection.error > event.json",
}

function list.run(ctx)
  if ctx.args.name then return stdout.write(ready_message(ctx.args.name) .. "\n") end
  for _, event in ipairs(events) do stdout.write(event[1] .. "\n") end
end

return {
  verbs = { verify, send, listen, list },
  epilog = [[
Examples:
  ampersand webhook listen --port 9000 --forward-to http://127.0.0.1:3000/hooks
  ampersand webhook send http://127.0.0.1:9000/ --event subscribe.update]],
}
