--- Base URLs: what may be one, and its origin.

local base_url = {}

--- Whether a URL leads to this machine, by name or literal address.
---@param url string
---@return boolean
function base_url.is_loopback(url)
  local authority = url:match "^%a+://([^/?#]+)"
  local host = authority and authority:lower():gsub(":%d+$", "")
  return host == "localhost" or host == "[::1]" or (host or ""):find "^127%.%d+%.%d+%.%d+$" ~= nil
end

--- Checks a base URL and takes closing slashes off.
---@param url string
---@param insecure boolean? whether plain http to other machines is allowed
---@param proxied boolean? whether requests pass through a proxy
---@return string? url, string? problem
function base_url.check(url, insecure, proxied)
  local scheme, authority = url:match("^(%a+)://([^/?#]+)")
  if not scheme or url:find("[%c%s?#\\]") then
    return nil, "is not an http(s) URL such as https://api.withampersand.com/v1"
  end
  scheme = scheme:lower()
  local port = authority:match ":(%d+)$"
  if port and (tonumber(port) < 1 or tonumber(port) > 65535) then return nil, "names a port that is none: " .. port end
  if authority:find("@", 1, true) then return nil, "must not carry a user name or password" end
  if scheme == "http" then
    local reader = not base_url.is_loopback(url) and "network" or proxied and "proxy"
    if reader and not insecure then
      return nil, ("is plain http, which would show the key to the %s; use https, or set allow_insecure_http = true")
        :format(reader)
    end
  elseif scheme ~= "https" then
    return nil, "has scheme " .. scheme .. "; only http and https are spoken"
  end
  return (url:gsub("/+$", ""))
end

--- Scheme, host and port of a URL, for messages; nil where it names none.
---@param url string
---@return string?
function base_url.origin(url)
  local scheme, authority = url:match "^(%a[%w+.-]*://)([^/?#]+)"
  return scheme and scheme .. authority:gsub("^.*@", "") or nil
end

return base_url
