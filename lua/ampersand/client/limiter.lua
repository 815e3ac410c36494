--- How fast a client sends: a token bucket, and the pauses that a server asks for by 429 with `Retry-After`. A client
-- and all that `with` makes of it have one limiter; in nginx each worker has its own.

local limiter = {}
local Limiter = {}
Limiter.__index = Limiter

local LONGEST_PAUSE = 60 -- seconds: a server that asks for more is asked again then

--- Makes a limiter.
---@param rate number? requests per second; nil: only pauses hold requests back
---@param now number seconds, as of core.now()
function limiter.new(rate, now)
  local capacity = rate and math.max(1, rate)
  return setmetatable({
    open = not rate, -- until the first pause no request is held back
    rate = rate, capacity = capacity, tokens = capacity, at = now, resume = now, era = 0,
  }, Limiter)
end

--- Takes the right to send one request.
---@return number seconds until it may be sent; none where it is not above zero
---@return integer era of the right: a pause ends it, and another one is to be taken
function Limiter:take(now)
  if not self.rate then return self.resume - now, self.era end
  if now > self.at then
    self.tokens, self.at = math.min(self.capacity, self.tokens + (now - self.at) * self.rate), now
  end
  self.tokens = self.tokens - 1
  return self.at - now + math.max(0, -self.tokens / self.rate), self.era
end

--- Gives back a right that was not used.
function Limiter:give_back(era)
  if self.rate and era == self.era then self.tokens = self.tokens + 1 end
end

--- Holds all requests back, as a server has asked.
---@return integer era of this pause
function Limiter:pause(seconds, now)
  self.open = false
  local resume = now + math.min(seconds, LONGEST_PAUSE)
  if resume > self.resume then
    self.resume, self.era = resume, self.era + 1
    self.tokens, self.at = 0, resume
  end
  return self.era
end

--- Ends a pause: the call that was refused has waited it out.
function Limiter:resume_sending(era, now)
  if era == self.era then self.resume, self.at = math.min(self.resume, now), math.min(self.at, now) end
end

return limiter
