-- :Ampersand [integration] opens a buffer of installations. See lua/ampersand_view.lua.
vim.api.nvim_create_user_command("Ampersand", function(command)
  require("ampersand_view").open { integration = command.args ~= "" and command.args or nil }
end, { nargs = "?", desc = "List Ampersand installations" })
