// Replaces the code editor that Grafana's components import; the preview does not edit.
export default {};
