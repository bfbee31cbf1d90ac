// In place of the code editor, which Grafana's components would bring along; boards do not edit.
export default {};
