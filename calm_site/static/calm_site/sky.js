/* Runs before the first paint: the sky follows this device's clock, the ground its light or dark
   setting or the switch. The clock's offset goes into a cookie so that the server knows when it is
   evening here; nothing else is told. */
(() => {
  const root = document.documentElement;

  /** @param {number} hour @returns {"dawn"|"day"|"dusk"|"night"} */
  const skyAt = (hour) => {
    if (hour >= 5 && hour < 8) return "dawn";
    if (hour >= 8 && hour < 17) return "day";
    if (hour >= 17 && hour < 21) return "dusk";
    return "night";
  };

  const saved = () => {
    try {
      return localStorage.getItem("ground");
    } catch {
      return null; // storage is blocked: the device's own setting decides
    }
  };

  const dark = matchMedia("(prefers-color-scheme: dark)");

  const paintGround = () => {
    root.dataset.ground = saved() ?? (dark.matches ? "dark" : "light");
  };

  const paintSky = () => {
    const now = new Date();
    root.dataset.sky = skyAt(now.getHours());
    const secure = location.protocol === "https:" ? ";Secure" : "";
    document.cookie = `clock=${-now.getTimezoneOffset()};Path=/;SameSite=Lax${secure}`;
  };

  paintGround();
  paintSky();
  dark.addEventListener("change", paintGround);
  setInterval(paintSky, 60_000);
})();
