--- `ampersand webhook`: verifies messages, sends and receives them for tests.

return {
  summary = "Webhooks: verify a message, send one, listen for them.",
  verbs = {
    require "ampersand.cli.commands.webhook_verify", require "ampersand.cli.commands.webhook_send",
    require "ampersand.cli.commands.webhook_listen", (require "ampersand.cli.commands.webhook_events"),
  },
  epilog = [[
Examples:
  ampersand webhook listen --port 9000 --forward-to http://127.0.0.1:3000/hooks
  ampersand webhook send http://127.0.0.1:9000/ --event subscribe.update]],
}
