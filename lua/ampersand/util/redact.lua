--- Tokens and passwords inside payloads become "[redacted]", those before the host of a URL "***". Pure.

local redact = {}

local HIDDEN = "[redacted]"

-- Members whose text, or any text within, is a secret, wherever they stand.
local SECRET = {
  token = true, accessToken = true, refreshToken = true, idToken = true, apiKey = true, password = true,
  clientSecret = true, secret = true, secrets = true, privateKey = true, secretAccessKey = true, awsSecretKey = true,
  awsSessionToken = true, webhookSigningKey = true, customAuth = true, credentials = true, signingSecret = true,
}

-- Times tell when a token ends, not what it is.
local HARMLESS = { issuedAt = true, expiresAt = true, createTime = true, updateTime = true, scopes = true }

-- In an API key the secret is called just "key", as harmless things are elsewhere.
local function is_api_key(value)
  return type(value.key) == "string" and value.label ~= nil and value.projectId ~= nil
end

local API_KEY = "ApiKey"

local function hide(value)
  if type(value) == "string" and value ~= "" then return HIDDEN, 1 end
  if type(value) ~= "table" then return value, 0 end
  local copy, count = setmetatable({}, getmetatable(value)), 0
  for name, member in pairs(value) do
    local hidden, n = member, 0
    if not HARMLESS[name] then hidden, n = hide(member) end
    copy[name], count = hidden, count + n
  end
  return copy, count
end

-- In place, since the value belongs to nobody else.
local function walk(value, count)
  for name, member in pairs(value) do
    local kind = type(member)
    if (kind == "string" or kind == "table") and SECRET[name] then
      local hidden, n = hide(member)
      value[name], count = hidden, count + n
    elseif kind == "table" then
      count = walk(member, count)
    end
  end
  if value.key ~= nil and is_api_key(value) then value.key, count = HIDDEN, count + 1 end
  return count
end

--- Hides the secrets of a decoded value, in place.
---@param value any
---@param element string? what it is, such as "ApiKey": a selection may have left nothing else to tell it by
---@return any value, integer count of texts hidden
function redact.value(value, element)
  if type(value) ~= "table" then return value, 0 end
  local count = walk(value, 0)
  if element == API_KEY and type(value.key) == "string" and value.key ~= HIDDEN then
    value.key, count = HIDDEN, count + 1
  end
  return value, count
end

--- A URL, or the address of a proxy, without the user name and password it may carry.
---@param url string
---@return string
function redact.url(url)
  local scheme, rest = url:match "^(%a[%w+.-]*://)(.*)$"
  -- up to the last "@": a password may hold what it should have escaped
  return (scheme or "") .. (rest or url):gsub("^.*@", "***@")
end

return redact
