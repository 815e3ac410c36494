--- What the commands of `ampersand webhook` share: the secret, and a request to a receiver.

local environment = require "ampersand.util.environment"
local exit = require "ampersand.cli.exit"
local input = require "ampersand.cli.input"
local terminal = require "ampersand.cli.terminal"

local webhooks = {}

--- The secret of the options or the environment; nil without any.
---@param args table
---@return string?
function webhooks.secret(args)
  if args.secret then return terminal.given_secret("Webhook secret", args.secret, "--secret", "--secret -") end
  if args.secret_file then return (input.file(args.secret_file):gsub("%s+$", "")) end
  return environment.get "AMPERSAND_WEBHOOK_SECRET"
end

--- The same; ends the command without one.
function webhooks.require_secret(args)
  return webhooks.secret(args) or exit.with(exit.AUTH,
    "no webhook secret: set AMPERSAND_WEBHOOK_SECRET, use --secret -, or name a file by --secret-file")
end

--- Posts a body as it is. Blocks for at most 30 seconds.
---@param url string
---@param headers table<string, string>
---@param body string
---@return integer? status
---@return string message why there is no answer
function webhooks.post(url, headers, body)
  local transport = require("ampersand.transport.curl").new()
  local res, message = transport:request { method = "POST", url = url, headers = headers, body = body, timeout = 30 }
  if not res then return nil, message end
  res.close(false)
  transport:close()
  return res.status, ""
end

return webhooks
