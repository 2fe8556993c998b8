// Moving about in a plot by hand: Ctrl and the wheel zoom about the pointer, Shift and dragging pan, or a wheel sideways.
// The plot moves at once over the points that it has; those of the new span are asked for when the hand rests.

const REST_MS = 120;

// Let `plot` be moved; look(from, to) is called when a move has come to rest. Returns what ends it.
export function movable(plot, look) {
  const over = plot.over;
  let timer = null;
  let grip = null; // where the pointer holds the plot: {x, min, max}

  function show(min, max) {
    plot.setScale("x", { min, max });
    clearTimeout(timer);
    timer = setTimeout(() => look(plot.scales.x.min, plot.scales.x.max), REST_MS);
  }

  function wheel(event) {
    const { min, max } = plot.scales.x;
    const width = max - min;
    const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    if (event.ctrlKey) {
      const part = event.offsetX / over.clientWidth;
      const wide = width * Math.exp(event.deltaY / 300);
      const at = min + part * width;
      show(at - part * wide, at + (1 - part) * wide);
    } else if (sideways) {
      show(min + (sideways / over.clientWidth) * width, max + (sideways / over.clientWidth) * width);
    } else return; // the page's own to scroll by
    event.preventDefault();
  }

  function down(event) {
    if (!event.shiftKey || event.button !== 0) return;
    event.stopImmediatePropagation(); // else uPlot begins to choose a span
    grip = { x: event.clientX, min: plot.scales.x.min, max: plot.scales.x.max };
    document.addEventListener("mousemove", drag);
    document.addEventListener("mouseup", up);
  }

  function drag(event) {
    const by = ((grip.x - event.clientX) / over.clientWidth) * (grip.max - grip.min);
    show(grip.min + by, grip.max + by);
  }

  function up() {
    document.removeEventListener("mousemove", drag);
    document.removeEventListener("mouseup", up);
  }

  over.addEventListener("wheel", wheel, { passive: false });
  over.addEventListener("mousedown", down, { capture: true });
  return () => {
    clearTimeout(timer);
    up();
  };
}
