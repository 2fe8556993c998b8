// What is computed of samples in the page: which snapshot shows a sample, its units, and its spectrum.

// Read an exact factor: an integer, a decimal, or a fraction of two.
export function factor(text) {
  const [top, bottom = "1"] = String(text ?? "1").split("/");
  return Number(top) / Number(bottom);
}

// The snapshot that shows a sample, put together from parts: {start, samples}, or null.
//   parts: messages of kind snapshot; at: the alert, with journal, boot, channel and index.
export function covering(parts, at) {
  const own = parts
    .filter((part) => part.journal === at.journal && part.boot === at.boot && part.channel === at.channel)
    .sort((a, b) => a.index - b.index);
  let run = null;
  for (const part of own) {
    if (run && part.index === run.start + run.samples.length) run.samples.push(...part.samples_lsb);
    else if (!run || part.index > run.start + run.samples.length) {
      if (shows(run, at.index)) return run;
      run = { start: part.index, samples: [...part.samples_lsb] };
    }
  }
  return shows(run, at.index) ? run : null;
}

function shows(run, index) {
  return run !== null && run.start <= index && index < run.start + run.samples.length;
}

// Samples a second of a channel, from two of its summaries: both count samples and milliseconds exactly; null for none.
export function rateOf(summaries) {
  const [a, b] = summaries.slice(-2);
  if (!a || !b || a.boot !== b.boot || a.journal !== b.journal || b.uptime_ms <= a.uptime_ms) return null;
  return ((b.index - a.index) * 1000) / (b.uptime_ms - a.uptime_ms);
}

// Amplitudes of a snapshot's frequencies, in the samples' unit: without the mean, under a Hann window.
//   Returns {bins, amplitudes}; bin k is k / samples.length of the rate.
export function spectrum(samples) {
  const n = samples.length;
  const mean = samples.reduce((sum, x) => sum + x, 0) / n;
  const shaped = samples.map((x, i) => (x - mean) * (1 - Math.cos((2 * Math.PI * i) / n)));
  const cosines = Float64Array.from({ length: n }, (_, i) => Math.cos((2 * Math.PI * i) / n));
  const sines = Float64Array.from({ length: n }, (_, i) => Math.sin((2 * Math.PI * i) / n));
  const bins = [];
  const amplitudes = [];
  for (let k = 0; k <= n / 2; k++) {
    let real = 0;
    let imaginary = 0;
    for (let i = 0; i < n; i++) {
      real += shaped[i] * cosines[(i * k) % n];
      imaginary -= shaped[i] * sines[(i * k) % n];
    }
    bins.push(k);
    amplitudes.push((Math.hypot(real, imaginary) * (k === 0 || 2 * k === n ? 1 : 2)) / n);
  }
  return { bins, amplitudes };
}
