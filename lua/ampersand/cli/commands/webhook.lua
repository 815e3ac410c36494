--- `ampersand webhook`: checks signatures.

local environment = require "ampersand.util.environment"
local exit = require "ampersand.cli.exit"
local input = require "ampersand.cli.input"
local options = require "ampersand.cli.options"
local show = require "ampersand.cli.show"
local wording = require "ampersand.cli.wording"

local webhook = {
  summary = "Check a webhook's signature: ampersand webhook verify.",
  epilog = "Example:\n  ampersand webhook verify --help",
}

function webhook.declare(command)
  local verify = options.command(command:command_target "verb", "verify",
    "Is this message from the vendor? Prints it when it is, ends with 1 when not.")
  options.usage(verify, "[<file>] ")
  verify:argument "file":description "The raw body; `-` or nothing: standard input.":args "?"
  options.header(verify, "'Name: value' of the request; give the three svix-* ones.")
  verify:option("--secret-file", "File with the secret; else AMPERSAND_WEBHOOK_SECRET."):argname "<file>"
    :target "secret_file"
  options.number(verify, "--tolerance", "Seconds a message may be old (300).")
  options.formats(verify)
  verify:epilog [[
Example:
  ampersand webhook verify body.json -H "svix-id: $ID" \
    -H "svix-timestamp: $AT" -H "svix-signature: $SIGNATURE"]]
end

local function read_secret(args)
  if args.secret_file then return (input.file(args.secret_file):gsub("%s+$", "")) end
  return environment.get "AMPERSAND_WEBHOOK_SECRET"
    or exit.with(exit.AUTH, "no webhook secret: set AMPERSAND_WEBHOOK_SECRET, or name a file by --secret-file")
end

function webhook.run(ctx)
  local verify = require("ampersand.webhook").verify
  local args = ctx.args
  local headers, body = input.headers(args.header), input.file(args.file or "-")
  local message, err = exit.guard(verify, read_secret(args), headers, body, { tolerance = args.tolerance })
  if not message then exit.with(err.kind == "config" and exit.AUTH or exit.FAILURE, wording(err.message)) end
  ctx:note("signed by the vendor; id " .. err.id)
  show.json(ctx, message)
end

return webhook
