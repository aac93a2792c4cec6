// node lighthouse.mjs <path of Chromium> <Chromium's arguments as JSON> <what to judge as JSON>
// One Chromium judges [{ name, url, form, skip }, …] one after another; a JSON line for each comes out as it is ready.

import * as chromeLauncher from "chrome-launcher";
import lighthouse, { desktopConfig } from "lighthouse";

const [chromePath, chromeArguments, tasks] = process.argv.slice(2);
const chrome = await chromeLauncher.launch({
  chromePath,
  chromeFlags: ["--headless=new", ...JSON.parse(chromeArguments)],
  maxConnectionRetries: 100,
});
try {
  for (const { name, url, form, skip } of JSON.parse(tasks)) {
    const flags = { port: chrome.port, logLevel: "error", disableFullPageScreenshot: true, skipAudits: skip };
    let lhr;
    for (let attempt = 0; attempt < 3 && (!lhr || lhr.runtimeError); attempt += 1) { // a busy machine loses traces
      ({ lhr } = await lighthouse(url, flags, form === "desktop" ? desktopConfig : undefined));
    }
    const scores = Object.fromEntries(
      Object.values(lhr.categories).map(({ id, score }) => [id, score === null ? null : Math.round(score * 100)]),
    );
    const weighed = Object.values(lhr.categories)
      .filter(({ id }) => id !== "performance")
      .flatMap(({ auditRefs }) => auditRefs.filter(({ weight }) => weight > 0).map(({ id }) => lhr.audits[id]));
    const wrong = weighed
      .filter(({ score }) => score !== null && score < 1)
      .map(({ id, title, details }) => `${id}: ${title} ${JSON.stringify(details?.items ?? []).slice(0, 400)}`);
    const number = (id) => lhr.audits[id]?.numericValue;
    const slow = lhr.categories.performance.auditRefs
      .map(({ id }) => lhr.audits[id])
      .filter(({ score }) => score !== null && score < 0.9)
      .map(({ id, displayValue }) => `${id} ${displayValue ?? ""}`.trim());
    console.log(
      JSON.stringify({
        name, form, scores, wrong, slow,
        error: lhr.runtimeError?.message,
        shift: number("cumulative-layout-shift"),
        paint: number("first-contentful-paint"),
        largest: number("largest-contentful-paint"),
        seconds: lhr.timing.total / 1000,
      }),
    );
  }
} finally {
  chrome.kill();
}
