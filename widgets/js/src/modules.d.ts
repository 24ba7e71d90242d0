declare module "icon:*" {
  const svg: string;
  export default svg;
}
declare module "*.css" {
  const text: string;
  export default text;
}
declare module "*.woff2" {
  const url: string;
  export default url;
}
