"use strict";
// Draws the charts when they come into view, in the reader's mode; for printing all of them, light and as wide as the paper.
(() => {
  const root = document.documentElement;
  const preferred = matchMedia("(prefers-color-scheme: dark)");
  const button = document.getElementById("mode");
  const PAPER_WIDTH = 900;
  const HALF_PAPER_WIDTH = 436;
  let mode = root.dataset.mode || (preferred.matches ? "dark" : "light");
  const charts = [...document.querySelectorAll("figure[data-chart]")].map((figure) => ({
    name: figure.dataset.chart, paperWidth: figure.classList.contains("half") ? HALF_PAPER_WIDTH : PAPER_WIDTH, place: figure.querySelector(".plot"), drawn: "",
    figures: JSON.parse(figure.querySelector("script").textContent),
  }));

  const config = (name) => ({
    displaylogo: false, responsive: false, scrollZoom: false,
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
    toImageButtonOptions: { format: "png", scale: 2, filename: name },
  });

  const draw = (chart, kind, width) => {
    const wanted = `${kind} ${width}`;
    if (chart.drawn === wanted) return;
    chart.drawn = wanted;
    const { data, layout } = structuredClone(chart.figures[kind]);
    Plotly.react(chart.place, data, { ...layout, width, autosize: false }, config(chart.name));
  };
  const onPaper = matchMedia("print");
  const drawForPaper = (chart) => draw(chart, "light", chart.paperWidth);
  // A chart may come into view while the page is laid out for paper.
  const drawHere = (chart) => onPaper.matches ? drawForPaper(chart) : draw(chart, mode, chart.place.parentElement.clientWidth);
  const drawSeen = () => charts.filter((chart) => chart.drawn).forEach(drawHere);

  for (const chart of charts) chart.place.style.height = `${chart.figures.light.layout.height || 400}px`;
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting) drawHere(charts.find((chart) => chart.place === entry.target));
    }
  }, { rootMargin: "600px" });
  charts.forEach((chart) => seen.observe(chart.place));

  const show = (kind) => {
    mode = kind;
    root.dataset.mode = kind;
    button.textContent = kind === "dark" ? "Light" : "Dark";
    drawSeen();
  };
  button.hidden = false;
  button.onclick = () => show(mode === "dark" ? "light" : "dark");
  preferred.onchange = () => show(preferred.matches ? "dark" : "light");
  show(mode);

  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === width || onPaper.matches) return;
    width = innerWidth;
    drawSeen();
  });
  addEventListener("beforeprint", () => charts.forEach(drawForPaper));
  addEventListener("afterprint", drawSeen);
})();
