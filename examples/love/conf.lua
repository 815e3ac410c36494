function love.conf(t)
  t.identity = "ampersand-fleet"
  t.window.title, t.window.width, t.window.height = "Installations", 960, 600
  t.modules.audio, t.modules.joystick, t.modules.physics = false, false, false
end
