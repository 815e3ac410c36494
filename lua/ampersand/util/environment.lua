--- Variables of the environment that the library reads.

local environment = {}

--- The variables of an option, the first that is set wins.
environment.NAMES = {
  api_key = { "AMP_API_KEY", "AMPERSAND_API_KEY" }, bearer = { "AMPERSAND_BEARER" },
  base_url = { "AMP_API_URL", "AMPERSAND_API_URL" }, project = { "AMPERSAND_PROJECT_ID" },
  integration = { "AMPERSAND_INTEGRATION_ID" }, org = { "AMPERSAND_ORG_ID" }, region = { "AMP_REGION" },
  webhook_secret = { "AMPERSAND_WEBHOOK_SECRET", "AMP_WEBHOOK_SECRET" },
}

--- The value of a variable without blanks and line ends around it; nil when it is not set, or nothing is left.
---@param name string
---@return string?
function environment.get(name)
  local getenv = os and os.getenv -- a sandbox may have none
  local value = (getenv and getenv(name) or ""):match "^%s*(.-)%s*$"
  return value ~= "" and value or nil
end

--- The value of an option.
---@param option string
---@return string? value, string? name of the variable
function environment.option(option)
  for _, name in ipairs(environment.NAMES[option]) do
    local value = environment.get(name)
    if value then return value, name end
  end
end

return environment
