--- `ampersand webhook verify`.

local exit = require "ampersand.cli.exit"
local input = require "ampersand.cli.input"
local show = require "ampersand.cli.show"
local webhooks = require "ampersand.cli.webhooks"
local wording = require "ampersand.cli.wording"

local verify = {
  name = "verify",
  summary = "Verify a message: print it if the vendor signed it, else exit with 1.",
  usage = "[<file>] ",
  arguments = { { name = "file", description = "The raw body; `-` or nothing: standard input.", args = "?" } },
  options = {
    { "-H --header", "'Name: value' of the request; give the three svix-* ones.", "<header>", several = true },
    "secret", "tolerance", "formats",
  },
  epilog = [[
Example:
  ampersand webhook verify body.json -H "svix-id: $ID" \
    -H "svix-timestamp: $AT" -H "svix-signature: $SIGNATURE"]],
}

function verify.run(ctx)
  local args = ctx.args
  local headers, body = input.headers(args.header), input.file(args.file or "-")
  local message, err = exit.guard(require("ampersand.webhook").verify, webhooks.require_secret(args), headers, body,
    { tolerance = args.tolerance })
  if not message then exit.with(err.kind == "config" and exit.AUTH or exit.FAILURE, wording(err.message)) end
  ctx:note("signed by the vendor; id " .. err.id)
  show.json(ctx, message)
end

return verify
